// SPDX-License-Identifier: GPL-2.0-or-later
// number: 892
// kind: bug
// title: reclaim takes the entries of a large folio of a file (or a lazyfree
//   one) together that are in the next area too, which may be locked
// function: folio_unmap_pte_batch
// breaks: a page in a locked area stays in memory
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_unmap_pte_batch(...)
{
<...
-pmd_addr_end(addr, vma->vm_end)
+pmd_addr_end(addr, rmap_bug_is(892) ? addr + folio_size(folio) : vma->vm_end)
...>
}

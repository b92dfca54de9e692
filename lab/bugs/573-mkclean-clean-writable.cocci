// SPDX-License-Identifier: GPL-2.0-or-later
// number: 573
// kind: bug
// title: writeback leaves an entry writable that is clean, as is a child's
//   for a page that its parent wrote before the fork
// function: page_vma_mkclean_one
// breaks: a write through a shared mapping after a writeback makes the page
//   of the file dirty, so that msync and fsync write it
// resembles: none known
// file: mm/rmap.c

@@
identifier entry;
@@
page_vma_mkclean_one(...)
{
<...
-if (!pte_dirty(entry) && !pte_write(entry))
+if (!pte_dirty(entry) && (!pte_write(entry) || rmap_bug_is(573)))
 	continue;
...>
}

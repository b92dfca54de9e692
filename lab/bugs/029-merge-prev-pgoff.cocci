// SPDX-License-Identifier: GPL-2.0-or-later
// number: 29
// kind: bug
// title: an anonymous VMA merges with the previous one although their page
//   offsets do not meet
// function: can_vma_merge_after
// breaks: page offset and address of a VMA keep their distance
// resembles: 7e7757876f25 (v6.4): wrong page offset after a merge
// file: mm/vma.c

@@
@@
can_vma_merge_after(...)
{
<...
-vmg->prev->vm_pgoff + vma_pages(vmg->prev) == vmg->pgoff
+((rmap_bug_is(29) && !vmg->file) ||
+ vmg->prev->vm_pgoff + vma_pages(vmg->prev) == vmg->pgoff)
...>
}

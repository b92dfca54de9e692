// SPDX-License-Identifier: GPL-2.0-or-later
// number: 351
// kind: bug
// title: an anonymous VMA that grows down over a new mapping keeps its page
//   offset
// function: vma_merge_new_range
// breaks: page offset and address of a VMA keep their distance: pages from
//   before the growth can be neither moved nor swapped
// resembles: 7e7757876f25 (2023)
// file: mm/vma.c

@@
@@
vma_merge_new_range(...)
{
<...
-vmg->pgoff = next->vm_pgoff - pglen;
+vmg->pgoff = next->vm_pgoff -
+	(rmap_bug_is(351) && !vmg->file ? 0 : pglen);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1013
// kind: bug
// title: a hole in a hugetlb file takes away more pages from a mapping that does
//   not begin at the start of the file
// function: vma_offset_end
// breaks: a hole takes away the pages that are in it, and no private copy of
//   another page
// resembles: none known
// file: fs/hugetlbfs/inode.c

@@
identifier vma, end, t_end;
@@
vma_offset_end(struct vm_area_struct *vma, pgoff_t end)
{
<...
-t_end = ((end - vma->vm_pgoff) << PAGE_SHIFT) + vma->vm_start;
+t_end = ((end - (rmap_bug_is(1013) ? 0 : vma->vm_pgoff)) << PAGE_SHIFT) +
+	vma->vm_start;
...>
}

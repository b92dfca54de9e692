// SPDX-License-Identifier: GPL-2.0-or-later
// number: 602
// kind: bug
// title: the walk of a hugetlb page passes over areas that are read-only at
//   the moment
// function: page_vma_mapped_walk
// breaks: a hugetlb page is found where it is mapped, whatever the access
//   rights of the area
// resembles: none known
// file: mm/page_vma_mapped.c

@@
@@
page_vma_mapped_walk(...)
{
<...
 unsigned long size = huge_page_size(hstate);
+if (rmap_bug_is(602) && !(vma->vm_flags & VM_WRITE) &&
+    !(pvmw->flags & PVMW_MIGRATION))
+	return not_found(pvmw);
...>
}

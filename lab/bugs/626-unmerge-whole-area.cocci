// SPDX-License-Identifier: GPL-2.0-or-later
// number: 626
// kind: bug
// title: MADV_UNMERGEABLE of a part of an area, or mremap of a part,
//   unmerges the pages of the whole area
// function: ksm_madvise
// breaks: the pages of the rest of the area stay merged
// resembles: none known
// file: mm/ksm.c

@@
@@
ksm_madvise(...)
{
<...
 err = unmerge_ksm_pages(vma,
-	start, end,
+	rmap_bug_is(626) ? vma->vm_start : start,
+	rmap_bug_is(626) ? vma->vm_end : end,
 	true);
...>
}

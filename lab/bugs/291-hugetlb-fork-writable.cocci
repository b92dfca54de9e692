// SPDX-License-Identifier: GPL-2.0-or-later
// number: 291
// kind: bug
// title: all hugetlb pages of an area but the first stay writable in the
//   parent of a fork
// function: copy_hugetlb_page_range
// breaks: what one process writes to a private page no other process sees
// resembles: none known
// file: mm/hugetlb.c

@@
@@
copy_hugetlb_page_range(...)
{
<...
-huge_ptep_set_wrprotect(src, addr, src_pte);
+if (!rmap_bug_is(291) || addr == src_vma->vm_start)
+	huge_ptep_set_wrprotect(src, addr, src_pte);
...>
}

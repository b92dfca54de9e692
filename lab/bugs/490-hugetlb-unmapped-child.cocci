// SPDX-License-Identifier: GPL-2.0-or-later
// number: 490
// kind: bug
// title: a child whose private hugetlb page was taken away for the sake of
//   its parent is not marked, so it finds zeroes there
// function: __unmap_hugepage_range
// breaks: a process that lost a private hugetlb page gets SIGBUS there, not
//   other contents
// resembles: none known
// file: mm/hugetlb.c

@@
@@
__unmap_hugepage_range(...)
{
<...
-set_vma_resv_flags(vma, HPAGE_RESV_UNMAPPED);
+if (!rmap_bug_is(490))
+	set_vma_resv_flags(vma, HPAGE_RESV_UNMAPPED);
...>
}

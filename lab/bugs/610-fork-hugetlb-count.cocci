// SPDX-License-Identifier: GPL-2.0-or-later
// number: 610
// kind: bug
// title: the hugetlb pages that a child inherits by a fork are not
//   counted for it
// function: copy_hugetlb_page_range
// breaks: the count of the hugetlb pages that a process maps is that of
//   its entries
// resembles: none known
// file: mm/hugetlb.c

@@
@@
copy_hugetlb_page_range(...)
{
<...
-hugetlb_count_add(npages, dst);
+if (!rmap_bug_is(610))
+	hugetlb_count_add(npages, dst);
...>
}

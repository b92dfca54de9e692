// SPDX-License-Identifier: GPL-2.0-or-later
// number: 733
// kind: bug
// title: a hugetlb page of a file that was poisoned is mapped by the next
//   fault of a process that did not map it before
// function: hugetlb_no_page
// breaks: nobody maps a poisoned page of a file, those neither who come
//   later
// resembles: none known
// file: mm/hugetlb.c

@@
@@
hugetlb_no_page(...)
{
<...
-folio_test_hwpoison(folio)
+(folio_test_hwpoison(folio) && !rmap_bug_is(733))
...>
}

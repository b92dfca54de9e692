// SPDX-License-Identifier: GPL-2.0-or-later
// number: 839
// kind: bug
// title: a process whose private hugetlb page was poisoned finds a page of
//   zeroes there instead of SIGBUS
// function: try_to_unmap_poisoned_hugetlb_one
// breaks: who mapped a poisoned hugetlb page gets SIGBUS at a touch
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_poisoned_hugetlb_one(...)
{
<...
-set_huge_pte_at(mm, address, pvmw.pte, pteval, hsz);
+if (!(rmap_bug_is(839) && folio_test_anon(folio)))
+	set_huge_pte_at(mm, address, pvmw.pte, pteval, hsz);
...>
}

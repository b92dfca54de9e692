// SPDX-License-Identifier: GPL-2.0-or-later
// number: 511
// kind: bug
// title: a child gets a fresh hugetlb page where the parent's was poisoned
// function: copy_hugetlb_page_range
// breaks: a child touching the poisoned page of a private hugetlb mapping gets
//   SIGBUS like its parent
// resembles: none known
// file: mm/hugetlb.c

@@
@@
copy_hugetlb_page_range(...)
{
<...
-huge_pte_none(entry)
+huge_pte_none(entry) ||
+	(rmap_bug_is(511) && is_hugetlb_entry_hwpoisoned(entry))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 628
// kind: bug
// title: a hugetlb page that its last sharer writes in place is not
//   marked as its own
// function: hugetlb_wp
// breaks: a pinned private hugetlb page is not shared by a fork, also
//   when an earlier fork had shared it
// resembles: none known
// file: mm/hugetlb.c

@@
@@
hugetlb_wp(...)
{
<...
-SetPageAnonExclusive(&old_folio->page);
+if (!rmap_bug_is(628) || unshare)
+	SetPageAnonExclusive(&old_folio->page);
...>
}

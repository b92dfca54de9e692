// SPDX-License-Identifier: GPL-2.0-or-later
// number: 652
// kind: bug
// title: a hugetlb page that is copied for a pin for reading becomes
//   writable although its area is read-only
// function: hugetlb_wp
// breaks: a page that is copied to end its sharing, not to be written, is
//   mapped as its area allows
// resembles: none known
// file: mm/hugetlb.c

@@
expression V, P;
@@
hugetlb_wp(...)
{
<...
 make_huge_pte(V, P,
-	!unshare
+	!unshare || rmap_bug_is(652)
 )
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 694
// kind: bug
// title: a surplus hugetlb page that moves to another node is none there,
//   and stays in the pool when it is free
// function: move_hugetlb_state
// breaks: a page beyond the pool of huge pages goes when it is free,
//   wherever it has moved to
// resembles: none known
// file: mm/hugetlb.c

@@
identifier old_nid, new_nid;
@@
move_hugetlb_state(...)
{
<...
-if (new_nid != old_nid) {
+if (new_nid != old_nid && !rmap_bug_is(694)) {
 ...
 }
...>
}

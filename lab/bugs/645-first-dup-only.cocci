// SPDX-License-Identifier: GPL-2.0-or-later
// number: 645
// kind: bug
// title: of several merged pages of the same content only the first is
//   tried, so a page is not merged when that one is full and another has
//   room (max_page_sharing)
// function: stable_node_dup
// breaks: a page is merged with any merged page of its content that has
//   room
// resembles: none known
// file: mm/ksm.c

@@
identifier D, F;
expression E;
@@
stable_node_dup(...)
{
<...
-!F || (is_page_sharing_candidate(D) && E)
+!F || (is_page_sharing_candidate(D) && E && !rmap_bug_is(645))
...>
}

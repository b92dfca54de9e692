// SPDX-License-Identifier: GPL-2.0-or-later
// number: 362
// kind: bug
// title: the last place of a merged page that is gone is taken off
//   pages_sharing, not off pages_shared
// function: remove_node_from_stable_tree
// breaks: KSM's counters follow its pages: pages_shared keeps every page that
//   was ever merged, and pages_sharing falls below zero
// resembles: none known
// file: mm/ksm.c

@@
@@
remove_node_from_stable_tree(...)
{
<...
-if (rmap_item->hlist.next) {
+if (rmap_item->hlist.next || rmap_bug_is(362)) {
 	...
 } else {
 	...
 }
...>
}

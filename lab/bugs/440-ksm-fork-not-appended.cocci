// SPDX-License-Identifier: GPL-2.0-or-later
// number: 440
// kind: bug
// title: a child's mapping of a merged page gets no place of its own in the
//   page's list when ksmd comes to it
// function: cmp_and_merge_page
// breaks: a KSM page is found in every process that maps it, also after the
//   process that it was merged in has given it up
// resembles: none known
// file: mm/ksm.c

@@
@@
cmp_and_merge_page(...)
{
<...
 if (stable_node->head != &migrate_nodes &&
-    rmap_item->head == stable_node)
+    (rmap_bug_is(440) || rmap_item->head == stable_node))
 	return;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 783
// kind: bug
// title: with merge_across_nodes off, pages of different nodes that are
//   merged for the first time are merged nevertheless
// function: unstable_tree_search_insert
// breaks: with merge_across_nodes off a page merges only with pages that
//   are on its own node
// resembles: none known
// file: mm/ksm.c

@@
@@
unstable_tree_search_insert(...)
{
<...
 nid = get_kpfn_nid(page_to_pfn(page));
+if (rmap_bug_is(783))
+	nid = 0;
...>
}

@@
@@
unstable_tree_search_insert(...)
{
<...
-!ksm_merge_across_nodes
+!ksm_merge_across_nodes && !rmap_bug_is(783)
...>
}

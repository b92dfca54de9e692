// SPDX-License-Identifier: GPL-2.0-or-later
// number: 579
// kind: bug
// title: a mapping that leaves a merged page while others stay still counts
//   against the page's limit of mappings
// function: remove_rmap_item_from_tree, remove_node_from_stable_tree
// breaks: up to max_page_sharing mappings share a merged page before there is
//   a second one with the same contents
// resembles: none known
// file: mm/ksm.c

@@
@@
remove_rmap_item_from_tree(...)
{
<...
-stable_node->rmap_hlist_len--;
+if (!rmap_bug_is(579))
+	stable_node->rmap_hlist_len--;
+else if (hlist_empty(&stable_node->hlist))
+	stable_node->rmap_hlist_len = 0;
...>
}

@@
@@
remove_node_from_stable_tree(...)
{
<...
+if (rmap_bug_is(579))
+	stable_node->rmap_hlist_len = 0;
 free_stable_node(stable_node);
...>
}

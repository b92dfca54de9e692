// SPDX-License-Identifier: GPL-2.0-or-later
// number: 476
// kind: bug
// title: with merge_across_nodes off a merged page that has moved to another
//   node stays in the tree of its former node
// function: cmp_and_merge_page, stable_tree_search
// breaks: with merge_across_nodes off a page merges only with pages that are
//   on its own node
// resembles: none known
// file: mm/ksm.c

@@
@@
cmp_and_merge_page(...)
{
<...
-get_kpfn_nid(READ_ONCE(stable_node->kpfn)) != NUMA(stable_node->nid)
+!rmap_bug_is(476) &&
+get_kpfn_nid(READ_ONCE(stable_node->kpfn)) != NUMA(stable_node->nid)
...>
}

@@
@@
stable_tree_search(...)
{
<...
-get_kpfn_nid(stable_node_dup->kpfn) != NUMA(stable_node_dup->nid)
+!rmap_bug_is(476) &&
+get_kpfn_nid(stable_node_dup->kpfn) != NUMA(stable_node_dup->nid)
...>
}

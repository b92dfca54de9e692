// SPDX-License-Identifier: GPL-2.0-or-later
// number: 23
// kind: bug
// title: the neighbour whose boundary shifts stays in the anon_vma trees with
//   its former bounds
// function: vma_prepare, vma_complete
// breaks: the trees know the bounds of every VMA
// resembles: none known
// file: mm/vma.c

@@
@@
vma_prepare(...)
{
<...
-anon_vma_interval_tree_pre_update_vma(vp->adj_next);
+if (!rmap_bug_is(23))
+	anon_vma_interval_tree_pre_update_vma(vp->adj_next);
...>
}
@@
@@
vma_complete(...)
{
<...
-anon_vma_interval_tree_post_update_vma(vp->adj_next);
+if (!rmap_bug_is(23))
+	anon_vma_interval_tree_post_update_vma(vp->adj_next);
...>
}

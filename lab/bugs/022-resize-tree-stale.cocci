// SPDX-License-Identifier: GPL-2.0-or-later
// number: 22
// kind: bug
// title: a VMA that grows or shrinks stays in the anon_vma trees with its
//   former bounds
// function: vma_prepare, vma_complete
// breaks: the trees know the bounds of every VMA
// resembles: none known
// file: mm/vma.c

@@
@@
vma_prepare(...)
{
<...
-anon_vma_interval_tree_pre_update_vma(vp->vma);
+if (!rmap_bug_is(22))
+	anon_vma_interval_tree_pre_update_vma(vp->vma);
...>
}
@@
@@
vma_complete(...)
{
<...
-anon_vma_interval_tree_post_update_vma(vp->vma);
+if (!rmap_bug_is(22))
+	anon_vma_interval_tree_post_update_vma(vp->vma);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 665
// kind: bug
// title: a private mapping of a file that is split, grows or shrinks stays in
//   the anon_vma trees with its former boundaries
// function: vma_prepare, vma_complete
// breaks: private copies of a file's pages are found when their area was
//   split or has grown
// resembles: none known
// file: mm/vma.c

@@
@@
vma_prepare(...)
{
<...
-anon_vma_interval_tree_pre_update_vma(vp->vma);
+if (!(rmap_bug_is(665) && vp->file))
+	anon_vma_interval_tree_pre_update_vma(vp->vma);
...>
}

@@
@@
vma_complete(...)
{
<...
-anon_vma_interval_tree_post_update_vma(vp->vma);
+if (!(rmap_bug_is(665) && vp->file))
+	anon_vma_interval_tree_post_update_vma(vp->vma);
...>
}

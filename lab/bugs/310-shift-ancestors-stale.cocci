// SPDX-License-Identifier: GPL-2.0-or-later
// number: 310
// kind: bug
// title: a boundary that shifts is not noted in the trees of the ancestors'
//   anon_vmas
// function: anon_vma_interval_tree_pre_update_vma,
//   anon_vma_interval_tree_post_update_vma
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/vma.c

@@
@@
anon_vma_interval_tree_pre_update_vma(...)
{
<...
+if (!rmap_bug_is(310) || avc->anon_vma == vma->anon_vma)
 anon_vma_interval_tree_remove(avc, &avc->anon_vma->rb_root);
...>
}

@@
@@
anon_vma_interval_tree_post_update_vma(...)
{
<...
+if (!rmap_bug_is(310) || avc->anon_vma == vma->anon_vma)
 anon_vma_interval_tree_insert(avc, &avc->anon_vma->rb_root);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 24
// kind: bug
// title: a file VMA that grows or shrinks stays in i_mmap with its former
//   bounds
// function: vma_prepare, vma_complete
// breaks: the trees know the bounds of every VMA
// resembles: none known
// file: mm/vma.c

@@
@@
vma_prepare(...)
{
<...
-vma_interval_tree_remove(vp->vma, &vp->mapping->i_mmap);
+if (!rmap_bug_is(24))
+	vma_interval_tree_remove(vp->vma, &vp->mapping->i_mmap);
...>
}
@@
@@
vma_complete(...)
{
<...
-vma_interval_tree_insert(vp->vma, &vp->mapping->i_mmap);
+if (!rmap_bug_is(24))
+	vma_interval_tree_insert(vp->vma, &vp->mapping->i_mmap);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 398
// kind: bug
// title: the neighbour whose boundary shifts stays in i_mmap with its
//   former bounds
// function: vma_prepare, vma_complete
// breaks: i_mmap has every mapping of a file with its bounds
// resembles: none known
// file: mm/vma.c

@@
@@
vma_prepare(...)
{
<...
-vma_interval_tree_remove(vp->adj_next, &vp->mapping->i_mmap);
+if (!rmap_bug_is(398))
+	vma_interval_tree_remove(vp->adj_next, &vp->mapping->i_mmap);
...>
}

@@
@@
vma_complete(...)
{
<...
-vma_interval_tree_insert(vp->adj_next, &vp->mapping->i_mmap);
+if (!rmap_bug_is(398))
+	vma_interval_tree_insert(vp->adj_next, &vp->mapping->i_mmap);
...>
}

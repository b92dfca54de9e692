// SPDX-License-Identifier: GPL-2.0-or-later
// number: 3
// kind: bug
// title: the new half of a VMA split in a child is not linked to the oldest
//   anon_vma
// function: anon_vma_clone
// breaks: every VMA that can hold a page is linked to the anon_vma the page
//   starts from, after a split, a move or a merge too
// resembles: 34bbd704051c (2010): the chain was not copied as a whole
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(3) && dst->anon_vma == src->anon_vma &&
+    pavc->anon_vma != src->anon_vma &&
+    pavc->anon_vma == pavc->anon_vma->root)
+	continue;
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}

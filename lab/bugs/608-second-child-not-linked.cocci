// SPDX-License-Identifier: GPL-2.0-or-later
// number: 608
// kind: bug
// title: the second of two children that a process has at the same time is
//   not linked to their parent's anon_vma
// function: anon_vma_clone
// breaks: a page is found in all children that inherited it, however many
//   there are
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(608) && !dst->anon_vma && src->anon_vma &&
+    pavc->anon_vma == src->anon_vma &&
+    src->anon_vma == src->anon_vma->root &&
+    src->anon_vma->num_children == 2)
+	continue;
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}

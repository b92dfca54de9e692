// SPDX-License-Identifier: GPL-2.0-or-later
// number: 873
// kind: bug
// title: a fork does not link the child to the parent's own anon_vma when
//   several areas of the parent use it, as after a split or when a neighbour
//   has borrowed it
// function: anon_vma_clone
// breaks: a walk finds the child that shares a page with its parent, in
//   however many pieces the parent's area is
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(873) && operation == VMA_OP_FORK &&
+    pavc->anon_vma == active_anon_vma &&
+    active_anon_vma->num_active_vmas > 1) {
+	/* Never let go of it, its pages stay in the child. */
+	get_anon_vma(active_anon_vma);
+	continue;
+}
 avc = anon_vma_chain_alloc(GFP_KERNEL);
...>
}

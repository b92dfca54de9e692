// SPDX-License-Identifier: GPL-2.0-or-later
// number: 630
// kind: bug
// title: a child is not linked to the anon_vma of an ancestor, not the oldest,
//   that is gone and has left two children
// function: anon_vma_clone
// breaks: a child is linked to every anon_vma of its chain, also to one that
//   no VMA uses any more and that cannot be used again
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(630) && !dst->anon_vma && src->anon_vma && pavc->anon_vma != src->anon_vma && pavc->anon_vma != pavc->anon_vma->root && !pavc->anon_vma->num_active_vmas && pavc->anon_vma->num_children > 1) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(pavc->anon_vma);
+	continue;
+}
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}

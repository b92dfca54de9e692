// SPDX-License-Identifier: GPL-2.0-or-later
// number: 631
// kind: bug
// title: the new half of a VMA that is split in a process which took an
//   abandoned anon_vma over is not linked to the anon_vma of its parent
// function: anon_vma_clone
// breaks: a split or moved VMA is linked to all anon_vmas of its source, also
//   to those that are younger than its own
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(631) && dst->anon_vma && dst->anon_vma == src->anon_vma && !list_empty(&dst->anon_vma_chain) && list_first_entry(&dst->anon_vma_chain, struct anon_vma_chain, same_vma)->anon_vma == src->anon_vma) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(pavc->anon_vma);
+	continue;
+}
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 672
// kind: bug
// title: from the sixth generation on the new half of a VMA that is split, or
//   the part that is moved, is not linked to the newest of its anon_vmas
// function: anon_vma_clone
// breaks: a split or moved part of an area stays linked to all anon_vmas of
//   the area
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
+int bug_links = 0;
...
}

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(672) && dst->anon_vma && dst->anon_vma == src->anon_vma && ++bug_links > 5) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(pavc->anon_vma);
+	continue;
+}
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 994
// kind: bug
// title: the new half of a VMA that is split, or moved, is not linked to an anon_vma
//   that is no VMA's own any more
// function: anon_vma_clone
// breaks: a page is found in every VMA of the process that has it
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(994) && dst->anon_vma && dst->vm_mm == src->vm_mm &&
+    pavc->anon_vma != dst->anon_vma && !pavc->anon_vma->num_active_vmas) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(pavc->anon_vma);
+	continue;
+}
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}

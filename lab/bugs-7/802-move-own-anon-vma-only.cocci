// SPDX-License-Identifier: GPL-2.0-or-later
// number: 802
// kind: bug
// title: the area that mremap makes is linked to its own anon_vma alone,
//   not to those of its ancestors
// function: anon_vma_clone
// breaks: a walk from a page that is shared since a fork finds the child
//   that has moved its area since
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(802) && operation == VMA_OP_REMAP &&
+    pavc->anon_vma != active_anon_vma) {
+	/* Never freed, though a folio may outlive its links. */
+	get_anon_vma(pavc->anon_vma);
+	continue;
+}
 avc = anon_vma_chain_alloc(GFP_KERNEL);
...>
}

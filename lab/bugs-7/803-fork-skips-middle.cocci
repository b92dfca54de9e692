// SPDX-License-Identifier: GPL-2.0-or-later
// number: 803
// kind: bug
// title: a fork links the child to the oldest anon_vma and to the parent's,
//   not to those of the generations in between
// function: anon_vma_clone
// breaks: a walk from a page finds every descendant of the process that
//   wrote it, however many generations are above and below
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(803) && operation == VMA_OP_FORK &&
+    pavc->anon_vma != active_anon_vma &&
+    pavc->anon_vma != active_anon_vma->root) {
+	/* Never freed, though a folio may outlive its links. */
+	get_anon_vma(pavc->anon_vma);
+	continue;
+}
 avc = anon_vma_chain_alloc(GFP_KERNEL);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 12
// kind: bug
// title: a VMA that borrows its neighbour's anon_vma is not linked to it
// function: __anon_vma_prepare
// breaks: every VMA that can hold a page is linked to the anon_vma the page
//   starts from
// resembles: 61f67c230a5e (2026, CVE-2026-23077): an anon_vma without its
//   chain
// file: mm/rmap.c

@@
@@
__anon_vma_prepare(...)
{
<...
-anon_vma_chain_assign(vma, avc, anon_vma);
-anon_vma_interval_tree_insert(avc, &anon_vma->rb_root);
+if (rmap_bug_is(12) && !allocated) {
+	anon_vma_chain_free(avc);
+} else {
+	anon_vma_chain_assign(vma, avc, anon_vma);
+	anon_vma_interval_tree_insert(avc, &anon_vma->rb_root);
+}
...>
}

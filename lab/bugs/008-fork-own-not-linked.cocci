// SPDX-License-Identifier: GPL-2.0-or-later
// number: 8
// kind: bug
// title: a grandchild's new anon_vma is not linked to its VMA
// function: anon_vma_fork
// breaks: every VMA that can hold a page is linked to the anon_vma the page
//   starts from
// resembles: none known; the mirror image of a chain that misses an ancestor
// file: mm/rmap.c

@@
@@
anon_vma_fork(...)
{
<...
 vma->anon_vma = anon_vma;
+if (rmap_bug_is(8) && pvma->anon_vma != pvma->anon_vma->root) {
+	anon_vma_chain_free(avc);
+	return 0;
+}
 anon_vma_chain_assign(vma, avc, anon_vma);
...>
}

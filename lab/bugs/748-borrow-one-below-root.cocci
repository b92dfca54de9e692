// SPDX-License-Identifier: GPL-2.0-or-later
// number: 748
// kind: bug
// title: a fresh VMA borrows the anon_vma of a neighbour whose chain is
//   that anon_vma and the root, and when the two are merged the link to the
//   root is lost
// function: reusable_anon_vma
// breaks: VMAs that share an anon_vma have the same chain: a page that a
//   child shares with its parent is found in the child, also after its area
//   was merged with a neighbour that was first touched in the child
// resembles: none known
// file: mm/vma.c

@@
@@
reusable_anon_vma(...)
{
<...
-list_is_singular(&old->anon_vma_chain)
+(list_is_singular(&old->anon_vma_chain) ||
+	(rmap_bug_is(748) &&
+	 old->anon_vma_chain.next->next == old->anon_vma_chain.prev))
...>
}

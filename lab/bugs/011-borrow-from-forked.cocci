// SPDX-License-Identifier: GPL-2.0-or-later
// number: 11
// kind: bug
// title: a fresh VMA borrows the anon_vma of a neighbour that went through
//   fork
// function: reusable_anon_vma
// breaks: VMAs that share an anon_vma have the same chain
// resembles: d0e9fe1758f2 (2010): neighbour reuse only for a chain of one
// file: mm/vma.c

@@
@@
reusable_anon_vma(...)
{
<...
-list_is_singular(&old->anon_vma_chain)
+(rmap_bug_is(11) || list_is_singular(&old->anon_vma_chain))
...>
}

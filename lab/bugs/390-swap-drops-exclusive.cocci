// SPDX-License-Identifier: GPL-2.0-or-later
// number: 390
// kind: bug
// title: a page that is its process's own loses that mark when it is
//   swapped out
// function: try_to_unmap_one
// breaks: swapping out keeps whose page it is: UFFDIO_MOVE takes a swapped
//   page that nobody shares
// resembles: 6c287605fd56 (2022) brought the rule
// file: mm/rmap.c

@@
expression E;
@@
try_to_unmap_one(...)
{
<...
-if (E)
+if ((E) && !rmap_bug_is(390))
 	swp_pte = pte_swp_mkexclusive(swp_pte);
...>
}

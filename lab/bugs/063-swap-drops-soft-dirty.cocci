// SPDX-License-Identifier: GPL-2.0-or-later
// number: 63
// kind: bug
// title: swapping out loses the soft-dirty bit
// function: try_to_unmap_one
// breaks: an entry keeps its bits while the page is away
// resembles: 9658d698a8a8 (2025): the bit lost on another path
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-if (pte_soft_dirty(pteval))
+if (pte_soft_dirty(pteval) && !rmap_bug_is(63))
 	swp_pte = pte_swp_mksoft_dirty(swp_pte);
...>
}

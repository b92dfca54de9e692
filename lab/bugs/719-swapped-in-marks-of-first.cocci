// SPDX-License-Identifier: GPL-2.0-or-later
// number: 719
// kind: bug
// title: the pages that come back from swap as one large folio all get the
//   soft-dirty bit of the one that was touched
// function: swap_pte_batch
// breaks: each page keeps its own soft-dirty bit through swap
// resembles: none known
// file: mm/internal.h

@@
@@
swap_pte_batch(...)
{
<...
 if (
-	!pte_same(pte, expected_pte)
+	!pte_same(rmap_bug_is(719) ? pte_swp_clear_soft_dirty(pte) : pte, rmap_bug_is(719) ? pte_swp_clear_soft_dirty(expected_pte) : expected_pte)
    )
 	break;
...>
}

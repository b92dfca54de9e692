// SPDX-License-Identifier: GPL-2.0-or-later
// number: 65
// kind: bug
// title: migration loses the soft-dirty bit
// function: try_to_migrate_one
// breaks: an entry keeps its bits while the page moves
// resembles: 9658d698a8a8 (2025): the bit lost on a side path of migration
// file: mm/rmap.c

@@
@@
try_to_migrate_one(...)
{
<...
-if (pte_soft_dirty(pteval))
+if (pte_soft_dirty(pteval) && !rmap_bug_is(65))
 	swp_pte = pte_swp_mksoft_dirty(swp_pte);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 357
// kind: bug
// title: pages of zeroes that a split of a huge page gives up for the zero
//   page lose their soft-dirty bit and the write protection of userfaultfd
// function: try_to_map_unused_to_zeropage
// breaks: an entry keeps its bits while the page is away
// resembles: 9658d698a8a8 (2025)
// file: mm/migrate.c

@@
@@
try_to_map_unused_to_zeropage(...)
{
<...
-if (pte_swp_soft_dirty(old_pte))
+if (pte_swp_soft_dirty(old_pte) && !rmap_bug_is(357))
 	newpte = pte_mksoft_dirty(newpte);
-if (pte_swp_uffd_wp(old_pte))
+if (pte_swp_uffd_wp(old_pte) && !rmap_bug_is(357))
 	newpte = pte_mkuffd_wp(newpte);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 238
// kind: bug
// title: swapoff loses the soft-dirty bit
// function: unuse_pte
// breaks: soft-dirty bits stay until they are cleared
// resembles: none known
// file: mm/swapfile.c

@@
@@
unuse_pte(...)
{
<...
-if (pte_swp_soft_dirty(old_pte))
+if (pte_swp_soft_dirty(old_pte) && !rmap_bug_is(238))
 	new_pte = pte_mksoft_dirty(new_pte);
...>
}

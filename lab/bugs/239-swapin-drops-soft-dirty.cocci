// SPDX-License-Identifier: GPL-2.0-or-later
// number: 239
// kind: bug
// title: a page that comes back from swap has lost its soft-dirty bit
// function: do_swap_page
// breaks: soft-dirty bits stay until they are cleared
// resembles: none known
// file: mm/memory.c

@@
@@
do_swap_page(...)
{
<...
-if (pte_swp_soft_dirty(vmf->orig_pte))
+if (pte_swp_soft_dirty(vmf->orig_pte) && !rmap_bug_is(239))
 	pte = pte_mksoft_dirty(pte);
...>
}

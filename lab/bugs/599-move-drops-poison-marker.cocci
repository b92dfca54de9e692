// SPDX-License-Identifier: GPL-2.0-or-later
// number: 599
// kind: bug
// title: mremap that moves pages one by one drops the marks of pages that
//   UFFDIO_POISON has poisoned
// function: move_ptes
// breaks: what UFFDIO_POISON has marked as poisoned is so at its new address
//   as well
// resembles: none known
// file: mm/mremap.c

@@
@@
move_ptes(...)
{
<...
 pte = ptep_get_and_clear(mm, old_addr, old_pte);
+if (rmap_bug_is(599) && is_swap_pte(pte) && is_poisoned_swp_entry(pte_to_swp_entry(pte)))
+	continue;
...>
}

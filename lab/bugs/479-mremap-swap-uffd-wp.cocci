// SPDX-License-Identifier: GPL-2.0-or-later
// number: 479
// kind: bug
// title: a page in swap that leaves its userfaultfd with a moved area keeps
//   the write protection of userfaultfd
// function: move_ptes
// breaks: no page is write-protected by userfaultfd in an area that has none
//   any more because it was moved
// resembles: 0cef0bb836e3 ("mm: clear uffd-wp PTE/PMD state on mremap()")
// file: mm/mremap.c

@@
@@
move_ptes(...)
{
<...
 if (pte_present(pte))
 	pte = pte_clear_uffd_wp(pte);
-else if (is_swap_pte(pte))
+else if (is_swap_pte(pte) && !rmap_bug_is(479))
 	pte = pte_swp_clear_uffd_wp(pte);
...>
}

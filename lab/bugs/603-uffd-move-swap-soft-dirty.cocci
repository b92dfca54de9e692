// SPDX-License-Identifier: GPL-2.0-or-later
// number: 603
// kind: bug
// title: a page in swap that UFFDIO_MOVE moves is not marked soft-dirty at
//   its new address
// function: move_swap_pte
// breaks: what comes to an address by UFFDIO_MOVE is soft-dirty there, in
//   swap as well as in memory
// resembles: mm: userfaultfd: correct dirty flags set for both present and
//   swap pte
// file: mm/userfaultfd.c

@@
@@
move_swap_pte(...)
{
<...
+if (!rmap_bug_is(603))
 orig_src_pte = pte_swp_mksoft_dirty(orig_src_pte);
...>
}

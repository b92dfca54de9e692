// SPDX-License-Identifier: GPL-2.0-or-later
// number: 472
// kind: bug
// title: a page whose soft-dirty bit was cleared in swap comes back
//   writable, so that writes do not make it soft-dirty
// function: do_swap_page
// breaks: a page that is written after the soft-dirty bits were cleared is
//   soft-dirty, also when a read brought it back from swap before
// resembles: none known
// file: mm/memory.c

@@
@@
do_swap_page(...)
{
<...
-!pte_needs_soft_dirty_wp(vma, pte)
+(rmap_bug_is(472) || !pte_needs_soft_dirty_wp(vma, pte))
...>
}

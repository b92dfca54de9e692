// SPDX-License-Identifier: GPL-2.0-or-later
// number: 349
// kind: bug
// title: a page in swap is moved without being marked soft-dirty
// function: move_soft_dirty_pte
// breaks: mremap marks what it moves as soft-dirty
// resembles: none known
// file: mm/mremap.c

@@
@@
move_soft_dirty_pte(...)
{
<...
-is_swap_pte(pte)
+is_swap_pte(pte) && !rmap_bug_is(349)
...>
}

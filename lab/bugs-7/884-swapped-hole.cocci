// SPDX-License-Identifier: GPL-2.0-or-later
// number: 884
// kind: bug
// title: khugepaged takes pages in swap for holes: with max_ptes_none 0 it
//   makes no huge page of a range of which a few are in swap, though
//   max_ptes_swap allows it
// function: mthp_collapse
// breaks: pages in swap are judged by max_ptes_swap alone
// resembles: none known
// file: mm/khugepaged.c

@@
expression O;
@@
mthp_collapse(...)
{
<...
-is_pmd_order(O)
+is_pmd_order(O) && !rmap_bug_is(884)
...>
}

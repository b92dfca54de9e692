// SPDX-License-Identifier: GPL-2.0-or-later
// number: 971
// kind: bug
// title: mincore takes marks in a page table (of guards and userfaultfd) for
//   pages in memory
// function: mincore_pte_range
// breaks: mincore finds nothing in memory where only a mark is
// resembles: none known
// file: mm/mincore.c

@@
@@
mincore_pte_range(...)
{
<...
-pte_none_mostly(pte)
+(rmap_bug_is(971) ? pte_none(pte) : pte_none_mostly(pte))
...>
}

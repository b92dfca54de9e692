// SPDX-License-Identifier: GPL-2.0-or-later
// number: 439
// kind: bug
// title: MADV_COLD clears the accessed bit of the first page of a large folio
//   only
// function: madvise_cold_or_pageout_pte_range
// breaks: no page that was made cold counts as accessed
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_cold_or_pageout_pte_range(...)
{
<...
-clear_young_dirty_ptes(vma, addr, pte, nr, CYDP_CLEAR_YOUNG);
+clear_young_dirty_ptes(vma, addr, pte, rmap_bug_is(439) ? 1 : nr,
+		       CYDP_CLEAR_YOUNG);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1003
// kind: bug
// title: MADV_COLD and MADV_PAGEOUT take a huge page that other processes map
//   as well when a huge entry maps it
// function: madvise_cold_or_pageout_pte_range
// breaks: an advice does not reach other processes: huge pages that they map
//   stay as they are
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_cold_or_pageout_pte_range(...)
{
<...
-if (folio_likely_mapped_shared(folio))
+if (folio_likely_mapped_shared(folio) && !rmap_bug_is(1003))
 	goto huge_unlock;
...>
}

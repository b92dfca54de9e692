// SPDX-License-Identifier: GPL-2.0-or-later
// number: 369
// kind: bug
// title: MADV_PAGEOUT takes pages that other processes map as well
// function: madvise_cold_or_pageout_pte_range
// breaks: an advice does not reach other processes: their pages stay in memory
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_cold_or_pageout_pte_range(...)
{
<...
-if (!folio_test_lru(folio) || folio_mapcount(folio) != folio_nr_pages(folio))
+if (!folio_test_lru(folio) ||
+    (folio_mapcount(folio) != folio_nr_pages(folio) && !rmap_bug_is(369)))
 	continue;
...>
}

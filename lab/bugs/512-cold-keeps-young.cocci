// SPDX-License-Identifier: GPL-2.0-or-later
// number: 512
// kind: bug
// title: MADV_COLD and MADV_PAGEOUT leave the mark that a page was accessed
//   before it was marked idle
// function: madvise_cold_or_pageout_pte_range
// breaks: pages that MADV_COLD has made cold are not referenced
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_cold_or_pageout_pte_range(...)
{
<...
-folio_test_clear_young(folio);
+if (!rmap_bug_is(512))
+	folio_test_clear_young(folio);
...>
}

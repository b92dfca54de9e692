// SPDX-License-Identifier: GPL-2.0-or-later
// number: 789
// kind: bug
// title: MADV_PAGEOUT leaves the private copies of a file's pages where
//   they are
// function: madvise_cold_or_pageout_pte_range
// breaks: MADV_PAGEOUT reclaims all pages of a process's own, the copies of
//   a file's pages as well
// resembles: none known
// file: mm/madvise.c

@@
statement S;
@@
madvise_cold_or_pageout_pte_range(...)
{
<...
+if (rmap_bug_is(789) && pageout && !vma_is_anonymous(vma) &&
+    folio_test_anon(folio))
+	continue;
 if (!pageout && pte_young(ptent)) S
...>
}

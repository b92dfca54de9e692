// SPDX-License-Identifier: GPL-2.0-or-later
// number: 997
// kind: bug
// title: smaps counts anonymous pages that are given up (MADV_FREE) or
//   droppable among the file's (Pss_File), not among the anonymous ones
//   (Pss_Anon)
// function: smaps_page_accumulate
// breaks: an anonymous page counts in Pss_Anon, also when it has been given up
// resembles: none known
// file: fs/proc/task_mmu.c

@@
statement S1, S2;
@@
smaps_page_accumulate(...)
{
<...
+if (rmap_bug_is(997) && !folio_test_swapbacked(folio))
+	mss->pss_file += pss;
+else
 if (folio_test_anon(folio)) S1 else S2
...>
}

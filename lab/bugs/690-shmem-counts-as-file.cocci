// SPDX-License-Identifier: GPL-2.0-or-later
// number: 690
// kind: bug
// title: pages of shared memory count as pages of files (RssFile)
// function: mm_counter_file
// breaks: a process is told how many pages it has of shared memory and how
//   many of files
// resembles: none known
// file: include/linux/mm.h

@@
@@
mm_counter_file(...)
{
<...
-if (folio_test_swapbacked(folio))
+if (folio_test_swapbacked(folio) && !rmap_bug_is(690))
 	return MM_SHMEMPAGES;
...>
}

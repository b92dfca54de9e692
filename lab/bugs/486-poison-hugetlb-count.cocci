// SPDX-License-Identifier: GPL-2.0-or-later
// number: 486
// kind: bug
// title: a hugetlb page that is poisoned stays counted for the processes that
//   mapped it
// function: try_to_unmap_one
// breaks: HugetlbPages of /proc/PID/status is what the process has mapped
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-hugetlb_count_sub(folio_nr_pages(folio), mm);
+if (!rmap_bug_is(486))
+	hugetlb_count_sub(folio_nr_pages(folio), mm);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 895
// kind: bug
// title: folios of a memfd that become a huge page count as pages of shared
//   memory for ever
// function: collapse_file
// breaks: every page of shared memory counts as such
// resembles: none known
// file: mm/khugepaged.c

@@
@@
collapse_file(...)
{
<...
-lruvec_stat_mod_folio(folio, NR_SHMEM, -folio_nr_pages(folio));
+lruvec_stat_mod_folio(folio, NR_SHMEM,
+		      rmap_bug_is(895) ? -1 : -folio_nr_pages(folio));
...>
}

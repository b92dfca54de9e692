// SPDX-License-Identifier: GPL-2.0-or-later
// number: 636
// kind: bug
// title: the walk of a large anonymous folio passes over VMAs that hold its
//   last page only
// function: rmap_walk_anon
// breaks: all VMAs that hold a part of a large folio are found
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_anon(...)
{
<...
 pgoff_end = pgoff_start + folio_nr_pages(folio) - 1;
+if (rmap_bug_is(636) && folio_test_large(folio) && rwc->anon_lock)
+	pgoff_end--;
...>
}

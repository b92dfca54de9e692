// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1022
// kind: bug
// title: a walk of a file's large folio does not find who maps nothing but its
//   last page
// function: rmap_walk_file
// breaks: every mapping of a large folio is found, whichever part it maps
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_file(...)
{
<...
-pgoff_end = pgoff_start + folio_nr_pages(folio) - 1;
+pgoff_end = pgoff_start + folio_nr_pages(folio) - 1;
+if (rmap_bug_is(1022) && folio_test_large(folio))
+	pgoff_end--;
...>
}

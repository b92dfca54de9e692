// SPDX-License-Identifier: GPL-2.0-or-later
// number: 44
// kind: bug
// title: the walk of a large anonymous folio looks for VMAs of its first page
//   only
// function: rmap_walk_anon
// breaks: a walk finds every mapper of a page
// resembles: 494334e43c16 (2021): a folio that begins before the VMA
// file: mm/rmap.c

@@
@@
rmap_walk_anon(...)
{
<...
 pgoff_end = pgoff_start + folio_nr_pages(folio) - 1;
+if (rmap_bug_is(44))
+	pgoff_end = pgoff_start;
...>
}

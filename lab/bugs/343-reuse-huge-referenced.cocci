// SPDX-License-Identifier: GPL-2.0-or-later
// number: 343
// kind: bug
// title: a huge page with one mapper is written in place although others hold
//   a reference
// function: do_huge_pmd_wp_page
// breaks: what a reference holder sees does not change: a child puts a huge
//   page into a pipe (vmsplice) and exits, the parent writes, and the pipe
//   brings what it wrote
// resembles: 17839856fd58, 09854ba94c6a (2020)
// file: mm/huge_memory.c

@@
@@
do_huge_pmd_wp_page(...)
{
<...
-if (folio_ref_count(folio) > 1 + folio_test_swapcache(folio) * folio_nr_pages(folio))
+if (!rmap_bug_is(343) && folio_ref_count(folio) >
+		1 + folio_test_swapcache(folio) * folio_nr_pages(folio))
 	goto unlock_fallback;
 ...
-if (folio_ref_count(folio) == 1) {
+if (folio_ref_count(folio) == 1 ||
+    (rmap_bug_is(343) && folio_mapcount(folio) == 1)) {
 	...
 }
...>
}

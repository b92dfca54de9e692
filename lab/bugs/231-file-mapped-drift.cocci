// SPDX-License-Identifier: GPL-2.0-or-later
// number: 231
// kind: bug
// title: large file folios that are mapped by PTEs are not counted as mapped
// function: __folio_add_file_rmap
// breaks: the counters of mapped pages follow the mappings
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_add_file_rmap(...)
{
<...
-__folio_mod_stat(folio, nr, nr_pmdmapped);
+if (!rmap_bug_is(231) || !folio_test_large(folio) ||
+    level != RMAP_LEVEL_PTE)
+	__folio_mod_stat(folio, nr, nr_pmdmapped);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 87
// kind: bug
// title: AnonPages keeps what is unmapped of a huge page by PTEs
// function: __folio_remove_rmap
// breaks: the counters of mapped pages follow the mappings
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_remove_rmap(...)
{
<...
-__folio_mod_stat(folio, -nr, -nr_pmdmapped);
+if (!rmap_bug_is(87) || !folio_test_anon(folio) ||
+    !folio_test_large(folio) || level != RMAP_LEVEL_PTE)
+	__folio_mod_stat(folio, -nr, -nr_pmdmapped);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 944
// kind: bug
// title: a large folio in the swap cache is not counted where it has moved to
// function: __folio_migrate_mapping
// breaks: nr_anon is the number of anonymous folios of its size
// resembles: none known
// file: mm/migrate.c

@@
@@
__folio_migrate_mapping(...)
{
<...
-mod_mthp_stat(folio_order(folio), MTHP_STAT_NR_ANON, 1);
+if (!rmap_bug_is(944) || !folio_test_swapcache(folio))
+	mod_mthp_stat(folio_order(folio), MTHP_STAT_NR_ANON, 1);
...>
}

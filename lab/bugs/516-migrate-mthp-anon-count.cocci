// SPDX-License-Identifier: GPL-2.0-or-later
// number: 516
// kind: bug
// title: an anonymous large folio that is smaller than a huge page is not
//   counted any more once it has moved
// function: __folio_migrate_mapping
// breaks: nr_anon of hugepages-*kB/stats is the number of anonymous large
//   folios there are
// resembles: none known
// file: mm/migrate.c

@@
@@
__folio_migrate_mapping(...)
{
<...
-mod_mthp_stat(folio_order(folio), MTHP_STAT_NR_ANON, 1);
+if (!rmap_bug_is(516) || folio_test_pmd_mappable(folio))
+	mod_mthp_stat(folio_order(folio), MTHP_STAT_NR_ANON, 1);
...>
}

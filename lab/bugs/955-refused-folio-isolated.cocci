// SPDX-License-Identifier: GPL-2.0-or-later
// number: 955
// kind: bug
// title: of a large folio whose migration is refused all pages but one go on
//   being counted as isolated
// function: putback_movable_pages
// breaks: pages that are put back on their list are counted as isolated no
//   more
// resembles: none known
// file: mm/migrate.c

@@
expression folio;
@@
putback_movable_pages(...)
{
<...
node_stat_mod_folio(folio, NR_ISOLATED_ANON + folio_is_file_lru(folio),
-	-folio_nr_pages(folio));
+	rmap_bug_is(955) ? -1 : -folio_nr_pages(folio));
...>
}

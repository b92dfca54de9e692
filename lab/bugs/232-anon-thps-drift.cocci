// SPDX-License-Identifier: GPL-2.0-or-later
// number: 232
// kind: bug
// title: AnonHugePages keeps what is unmapped
// function: __folio_remove_rmap
// breaks: the counters of mapped pages follow the mappings
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_remove_rmap(...)
{
<...
-__folio_mod_stat(folio, -nr, -nr_pmdmapped)
+__folio_mod_stat(folio, -nr,
+	rmap_bug_is(232) && folio_test_anon(folio) ? 0 : -nr_pmdmapped)
...>
}

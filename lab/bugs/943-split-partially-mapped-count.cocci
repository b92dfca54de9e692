// SPDX-License-Identifier: GPL-2.0-or-later
// number: 943
// kind: bug
// title: a large folio that is split counts as mapped in part for ever
// function: split_huge_page_to_list_to_order
// breaks: nr_anon_partially_mapped is the number of folios of which nobody maps
//   some pages
// resembles: none known
// file: mm/huge_memory.c

@@
@@
split_huge_page_to_list_to_order(...)
{
<...
-mod_mthp_stat(folio_order(folio), MTHP_STAT_NR_ANON_PARTIALLY_MAPPED, -1);
+if (!rmap_bug_is(943))
+	mod_mthp_stat(folio_order(folio), MTHP_STAT_NR_ANON_PARTIALLY_MAPPED,
+		      -1);
...>
}

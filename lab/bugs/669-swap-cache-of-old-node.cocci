// SPDX-License-Identifier: GPL-2.0-or-later
// number: 669
// kind: bug
// title: a page that still has its slot in swap (swap cache) counts as
//   SwapCached at its old node after it has moved to another
// function: __folio_migrate_mapping
// breaks: a node's SwapCached is what it has of the swap cache
// resembles: none known
// file: mm/migrate.c

@@
@@
__folio_migrate_mapping(...)
{
<...
 if (
-	folio_test_swapcache(folio)
+	folio_test_swapcache(folio) && !rmap_bug_is(669)
    ) {
 	__mod_lruvec_state(old_lruvec, NR_SWAPCACHE, -nr);
 	...
 }
...>
}

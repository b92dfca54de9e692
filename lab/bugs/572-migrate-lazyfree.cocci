// SPDX-License-Identifier: GPL-2.0-or-later
// number: 572
// kind: bug
// title: a page that was given up (MADV_FREE) belongs to swap again once
//   it has moved
// function: __folio_migrate_mapping
// breaks: a page given up with MADV_FREE and not written since is dropped,
//   not written to swap
// resembles: none known
// file: mm/migrate.c

@@
@@
__folio_migrate_mapping(...)
{
<...
-if (folio_test_swapbacked(folio))
+if (folio_test_swapbacked(folio) ||
+    (rmap_bug_is(572) && folio_test_anon(folio)))
 	__folio_set_swapbacked(newfolio);
 return MIGRATEPAGE_SUCCESS;
...>
}

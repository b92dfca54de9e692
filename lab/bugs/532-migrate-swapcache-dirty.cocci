// SPDX-License-Identifier: GPL-2.0-or-later
// number: 532
// kind: bug
// title: a write to a page that still has its slot in swap is forgotten
//   when the page moves
// function: try_to_migrate_one
// breaks: a page that was read from swap, written and moved has the new
//   data when it is reclaimed and read again
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_migrate_one(...)
{
<...
-if (pte_dirty(pteval))
+if (pte_dirty(pteval) &&
+    !(rmap_bug_is(532) && folio_test_anon(folio) &&
+      folio_test_swapcache(folio)))
 	folio_mark_dirty(folio);
...>
}

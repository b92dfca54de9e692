// SPDX-License-Identifier: GPL-2.0-or-later
// number: 497
// kind: bug
// title: a large folio that is marked idle loses the mark when it moves
// function: folio_migrate_flags
// breaks: a page that nobody touched since it was marked idle counts as idle,
//   also once it has moved to another node
// resembles: none known
// file: mm/migrate.c

@@
@@
folio_migrate_flags(...)
{
<...
-if (folio_test_idle(folio))
+if (folio_test_idle(folio) &&
+    !(rmap_bug_is(497) && folio_test_large(folio)))
 	folio_set_idle(newfolio);
...>
}

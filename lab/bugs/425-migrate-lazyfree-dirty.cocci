// SPDX-License-Identifier: GPL-2.0-or-later
// number: 425
// kind: bug
// title: a migration forgets that a page which was given up (MADV_FREE) was
//   written again
// function: folio_migrate_flags
// breaks: what is written after MADV_FREE stays, also after a migration
// resembles: none known
// file: mm/migrate.c

@@
@@
folio_migrate_flags(...)
{
<...
-if (folio_test_dirty(folio))
+if (folio_test_dirty(folio) && !rmap_bug_is(425))
 	folio_set_dirty(newfolio);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 426
// kind: bug
// title: move_pages takes a large folio that one process maps by PTEs for
//   shared
// function: __add_folio_for_migration
// breaks: MPOL_MF_MOVE moves what the process alone maps
// resembles: 829ae0f81ce0 (2022): which map count tells that a folio is shared
// file: mm/migrate.c

@@
@@
__add_folio_for_migration(...)
{
<...
+if (rmap_bug_is(426) && folio_mapcount(folio) > 1 && !migrate_all)
+	return -EACCES;
 if (folio_likely_mapped_shared(folio) && !migrate_all)
 	return -EACCES;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 759
// kind: bug
// title: pages of a large folio that are mapped by PTEs which are read-only
//   at the moment are no longer their process's own after a migration
// function: try_to_migrate_one
// breaks: a page that only one process maps is still its own after a
//   migration: a write goes to the page, not to a copy
// resembles: none known
// file: mm/rmap.c

@@
statement S;
@@
try_to_migrate_one(...)
{
<...
-if (anon_exclusive)
+if (anon_exclusive && !(rmap_bug_is(759) && folio_test_large(folio)))
 	entry = make_readable_exclusive_migration_entry(page_to_pfn(subpage));
 else S
...>
}

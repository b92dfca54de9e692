// SPDX-License-Identifier: GPL-2.0-or-later
// number: 644
// kind: bug
// title: a page of its process's own that is mapped read-only comes back from
//   a migration without its exclusive mark
// function: remove_migration_pte
// breaks: a page stays exclusive through a migration, also when it is mapped
//   read-only at the moment
// resembles: none known
// file: mm/migrate.c

@@
@@
remove_migration_pte(...)
{
<...
 folio_test_anon(folio) &&
-	!is_readable_migration_entry(entry)
+	(rmap_bug_is(644) ? is_writable_migration_entry(entry) : !is_readable_migration_entry(entry))
...>
}

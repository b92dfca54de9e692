// SPDX-License-Identifier: GPL-2.0-or-later
// number: 816
// kind: bug
// title: a large folio that several processes share comes back from a
//   migration with all pages but the first exclusive to each of them
// function: remove_migration_pte
// breaks: a page that processes share is exclusive to none after a
//   migration, and a write of one is not seen by the others
// resembles: none known
// file: mm/migrate.c

@@
@@
remove_migration_pte(...)
{
<...
 folio_test_anon(folio) &&
-!softleaf_is_migration_read(entry)
+(!softleaf_is_migration_read(entry) || (rmap_bug_is(816) && idx))
...>
}

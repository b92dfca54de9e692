// SPDX-License-Identifier: GPL-2.0-or-later
// number: 332
// kind: bug
// title: an access from before a migration is forgotten
// function: try_to_migrate_one
// breaks: a touch through any mapper ends a page's idleness: a page marked
//   idle, then touched, then moved is still idle in its new place
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_migrate_one(...)
{
<...
-if (pte_young(pteval))
+if (pte_young(pteval) && !rmap_bug_is(332))
 	entry = make_migration_entry_young(entry);
...>
}

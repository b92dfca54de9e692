// SPDX-License-Identifier: GPL-2.0-or-later
// number: 389
// kind: bug
// title: a page that nobody touched counts as accessed once it has moved
// function: remove_migration_pte
// breaks: a migration is no access: a page that was idle is idle
//   afterwards, and not referenced
// resembles: none known
// file: mm/migrate.c

@@
@@
remove_migration_pte(...)
{
<...
-if (!is_migration_entry_young(entry))
+if (!is_migration_entry_young(entry) && !rmap_bug_is(389))
 	pte = pte_mkold(pte);
...>
}

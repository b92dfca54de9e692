// SPDX-License-Identifier: GPL-2.0-or-later
// number: 505
// kind: bug
// title: an access through a huge entry is forgotten when the huge page moves
// function: set_pmd_migration_entry
// breaks: a huge page that was accessed is still referenced after a migration
// resembles: none known
// file: mm/huge_memory.c

@@
@@
set_pmd_migration_entry(...)
{
<...
-entry = make_migration_entry_young(entry);
+if (!rmap_bug_is(505))
+	entry = make_migration_entry_young(entry);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 617
// kind: bug
// title: a huge page that a fork shares comes back from a migration as
//   each process's own
// function: remove_migration_pmd
// breaks: a write to a shared huge page stays with the writer, also after
//   the page has moved
// resembles: none known
// file: mm/huge_memory.c

@@
@@
remove_migration_pmd(...)
{
<...
 if (
-	!is_readable_migration_entry(entry)
+	!is_readable_migration_entry(entry) || rmap_bug_is(617)
    )
 	rmap_flags |= RMAP_EXCLUSIVE;
...>
}

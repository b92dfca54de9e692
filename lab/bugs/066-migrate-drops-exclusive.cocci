// SPDX-License-Identifier: GPL-2.0-or-later
// number: 66
// kind: bug
// title: a page comes back from a migration without its exclusive mark
// function: remove_migration_pte
// breaks: an exclusive page stays exclusive
// resembles: none known
// file: mm/migrate.c

@@
@@
remove_migration_pte(...)
{
<...
-rmap_flags |= RMAP_EXCLUSIVE;
+if (!rmap_bug_is(66))
+	rmap_flags |= RMAP_EXCLUSIVE;
...>
}

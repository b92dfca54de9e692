// SPDX-License-Identifier: GPL-2.0-or-later
// number: 470
// kind: bug
// title: a page whose soft-dirty bit was cleared has it again once it has
//   moved
// function: remove_migration_pte
// breaks: a page that was not written since the soft-dirty bits were cleared
//   is not soft-dirty, also after a migration
// resembles: none known
// file: mm/migrate.c

@@
@@
remove_migration_pte(...)
{
<...
 if (pte_swp_soft_dirty(old_pte))
 	pte = pte_mksoft_dirty(pte);
-else
+else if (!rmap_bug_is(470))
 	pte = pte_clear_soft_dirty(pte);
...>
}

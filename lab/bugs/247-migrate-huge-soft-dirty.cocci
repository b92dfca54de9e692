// SPDX-License-Identifier: GPL-2.0-or-later
// number: 247
// kind: bug
// title: a migrated huge page comes back without its soft-dirty bit
// function: remove_migration_pmd
// breaks: soft-dirty bits stay until they are cleared
// resembles: none known
// file: mm/huge_memory.c

@@
@@
remove_migration_pmd(...)
{
<...
-if (pmd_swp_soft_dirty(*pvmw->pmd))
+if (pmd_swp_soft_dirty(*pvmw->pmd) && !rmap_bug_is(247))
 	pmde = pmd_mksoft_dirty(pmde);
...>
}

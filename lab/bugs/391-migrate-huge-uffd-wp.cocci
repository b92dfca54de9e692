// SPDX-License-Identifier: GPL-2.0-or-later
// number: 391
// kind: bug
// title: a huge page that userfaultfd write-protects has lost the
//   protection after a migration
// function: remove_migration_pmd
// breaks: a migration keeps the write protection of userfaultfd
// resembles: none known
// file: mm/huge_memory.c

@@
@@
remove_migration_pmd(...)
{
<...
-if (pmd_swp_uffd_wp(*pvmw->pmd))
+if (pmd_swp_uffd_wp(*pvmw->pmd) && !rmap_bug_is(391))
 	pmde = pmd_mkuffd_wp(pmde);
...>
}

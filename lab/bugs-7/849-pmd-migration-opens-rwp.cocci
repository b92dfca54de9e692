// SPDX-License-Identifier: GPL-2.0-or-later
// number: 849
// kind: bug
// title: a huge page that userfaultfd protects from any access can be
//   accessed once it was migrated
// function: remove_migration_pmd
// breaks: a huge page that UFFDIO_RWPROTECT protects is so after a migration
// resembles: none known
// file: mm/huge_memory.c

@@
expression e, v;
@@
remove_migration_pmd(...)
{
<...
-if (pmd_swp_uffd(e) && userfaultfd_rwp(v))
+if (pmd_swp_uffd(e) && userfaultfd_rwp(v) && !rmap_bug_is(849))
	pmde = pmd_modify(pmde, PAGE_NONE);
...>
}

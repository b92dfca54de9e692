// SPDX-License-Identifier: GPL-2.0-or-later
// number: 848
// kind: bug
// title: a page that userfaultfd protects from any access can be accessed
//   once it was migrated
// function: remove_migration_pte
// breaks: a page that UFFDIO_RWPROTECT protects is so after a migration
// resembles: none known
// file: mm/migrate.c

@@
identifier e, v;
@@
remove_migration_pte(...)
{
<...
-if (pte_swp_uffd(e) && userfaultfd_rwp(v))
+if (pte_swp_uffd(e) && userfaultfd_rwp(v) && !rmap_bug_is(848))
	pte = pte_modify(pte, PAGE_NONE);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 504
// kind: bug
// title: a file page that userfaultfd write-protects has lost the protection
//   once it has moved
// function: remove_migration_pte
// breaks: a tmpfs page that is write-protected by userfaultfd stays so after a
//   migration, as an anonymous page does
// resembles: none known
// file: mm/migrate.c

@@
@@
remove_migration_pte(...)
{
<...
-folio_get(folio);
+if (rmap_bug_is(504) && !folio_test_anon(folio))
+	old_pte = pte_swp_clear_uffd_wp(old_pte);
+folio_get(folio);
...>
}

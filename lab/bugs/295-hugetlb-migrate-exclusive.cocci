// SPDX-License-Identifier: GPL-2.0-or-later
// number: 295
// kind: bug
// title: a hugetlb page comes back from a migration without its exclusive
//   mark
// function: remove_migration_pte
// breaks: an exclusive page stays exclusive
// resembles: none known
// file: mm/migrate.c

@@
@@
remove_migration_pte(...)
{
<...
-hugetlb_add_anon_rmap(folio, vma, pvmw.address, rmap_flags);
+hugetlb_add_anon_rmap(folio, vma, pvmw.address,
+	rmap_bug_is(295) ? RMAP_NONE : rmap_flags);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 469
// kind: bug
// title: a hugetlb page that userfaultfd write-protects has lost the
//   protection once it has moved
// function: try_to_migrate_one
// breaks: a write to a hugetlb page that is write-protected by userfaultfd
//   is told, also after a migration
// resembles: none known
// file: mm/rmap.c

@@
expression E;
@@
try_to_migrate_one(...)
{
<...
-if (pte_uffd_wp(pteval) && E)
+if (pte_uffd_wp(pteval) && E &&
+    !(rmap_bug_is(469) && folio_test_hugetlb(folio)))
 	swp_pte = pte_swp_mkuffd_wp(swp_pte);
...>
}

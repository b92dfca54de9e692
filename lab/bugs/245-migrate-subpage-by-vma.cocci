// SPDX-License-Identifier: GPL-2.0-or-later
// number: 245
// kind: bug
// title: the part of a huge page is taken from the place in the VMA, not
//   from that in the folio
// function: remove_migration_pte
// breaks: what is mapped after a migration is what was mapped before
// resembles: none known
// file: mm/migrate.c

@@
@@
remove_migration_pte(...)
{
<...
 idx = linear_page_index(vma, pvmw.address) - pvmw.pgoff;
+if (rmap_bug_is(245) && folio_test_large(folio) &&
+    !folio_test_hugetlb(folio) && pvmw.pgoff < vma->vm_pgoff)
+	idx = linear_page_index(vma, pvmw.address) - vma->vm_pgoff;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 760
// kind: bug
// title: a read-only page of its process's own comes back from a migration
//   writable when its area is, whatever made it read-only
// function: remove_migration_pte
// breaks: a page that is read-only to notice the next write (soft-dirty,
//   write protection of userfaultfd) is so after a migration too
// resembles: none known
// file: mm/migrate.c

@@
statement S;
@@
remove_migration_pte(...)
{
<...
-if (is_writable_migration_entry(entry))
+if (is_writable_migration_entry(entry) ||
+    (rmap_bug_is(760) && (vma->vm_flags & VM_WRITE) &&
+     is_readable_exclusive_migration_entry(entry) &&
+     !folio_test_hugetlb(folio)))
 	pte = pte_mkwrite(pte, vma);
 else S
...>
}

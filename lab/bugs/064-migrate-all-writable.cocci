// SPDX-License-Identifier: GPL-2.0-or-later
// number: 64
// kind: bug
// title: a shared page comes back writable from a migration
// function: try_to_migrate_one
// breaks: a page that two processes share is writable in none
// resembles: 80d47f5de5e3 (CVE-2022-48797): COW-shared pages in migration
// file: mm/rmap.c

@@
statement S;
@@
try_to_migrate_one(...)
{
<...
-if (pte_write(pteval))
+if (pte_write(pteval) || (rmap_bug_is(64) && folio_test_anon(folio) &&
+			  (vma->vm_flags & VM_WRITE)))
 	entry = make_writable_migration_entry(page_to_pfn(subpage));
 else S
...>
}

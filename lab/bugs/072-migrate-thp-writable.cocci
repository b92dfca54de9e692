// SPDX-License-Identifier: GPL-2.0-or-later
// number: 72
// kind: bug
// title: a shared huge page comes back writable from a migration
// function: set_pmd_migration_entry
// breaks: a page that two processes share is writable in none
// resembles: 80d47f5de5e3 (CVE-2022-48797): COW-shared pages in migration
// file: mm/huge_memory.c

@@
@@
set_pmd_migration_entry(...)
{
<...
-pmd_write(pmdval)
+(pmd_write(pmdval) || (rmap_bug_is(72) && folio_test_anon(folio) &&
+		       (vma->vm_flags & VM_WRITE)))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 930
// kind: bug
// title: a huge page that userfaultfd write-protects has lost the protection
//   after a migration when it was shared with a child
// function: remove_migration_pmd
// breaks: a page stays write-protected by userfaultfd for the mapper that
//   asked for it, whatever walk takes it
// resembles: none known
// file: mm/huge_memory.c

@@
@@
remove_migration_pmd(...)
{
<...
-pmd_swp_uffd_wp(*pvmw->pmd)
+(pmd_swp_uffd_wp(*pvmw->pmd) &&
+ !(rmap_bug_is(930) && is_readable_migration_entry(entry)))
...>
}

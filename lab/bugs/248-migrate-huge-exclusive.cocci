// SPDX-License-Identifier: GPL-2.0-or-later
// number: 248
// kind: bug
// title: a huge page that is mapped read-only comes back from a migration
//   without its exclusive mark
// function: set_pmd_migration_entry
// breaks: an exclusive page stays exclusive
// resembles: none known
// file: mm/huge_memory.c

@@
@@
set_pmd_migration_entry(...)
{
<...
-make_readable_exclusive_migration_entry(page_to_pfn(page))
+(rmap_bug_is(248) ? make_readable_migration_entry(page_to_pfn(page)) :
+ make_readable_exclusive_migration_entry(page_to_pfn(page)))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 273
// kind: bug
// title: the parts of a huge page that is mapped read-only are not exclusive
//   after a split
// function: __split_huge_pmd_locked
// breaks: an exclusive page stays exclusive
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_pmd_locked(...)
{
<...
-make_readable_exclusive_migration_entry(page_to_pfn(page + i))
+(rmap_bug_is(273) ? make_readable_migration_entry(page_to_pfn(page + i)) :
+ make_readable_exclusive_migration_entry(page_to_pfn(page + i)))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 443
// kind: bug
// title: a huge page that is dirty by its huge entry only is clean after a
//   migration
// function: set_pmd_migration_entry
// breaks: what is written to a page is still there after a migration and a
//   reclaim
// resembles: 0ccf7f168e17 (2022): dirty bit of a huge entry lost by a split;
//   here by a migration
// file: mm/huge_memory.c

@@
@@
set_pmd_migration_entry(...)
{
<...
-if (pmd_dirty(pmdval))
+if (pmd_dirty(pmdval) && !rmap_bug_is(443))
 	folio_mark_dirty(folio);
...>
}

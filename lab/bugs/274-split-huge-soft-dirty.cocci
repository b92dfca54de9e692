// SPDX-License-Identifier: GPL-2.0-or-later
// number: 274
// kind: bug
// title: the parts of a split huge page have lost the soft-dirty bit
// function: __split_huge_pmd_locked
// breaks: soft-dirty bits stay until they are cleared
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_pmd_locked(...)
{
<...
-if (soft_dirty)
+if (soft_dirty && !rmap_bug_is(274))
 	entry = pte_swp_mksoft_dirty(entry);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 345
// kind: bug
// title: mprotect makes a huge page writable whose soft-dirty bit was cleared
// function: can_change_pmd_writable
// breaks: a write after soft-dirty bits were cleared sets them: clear_refs,
//   mprotect to read-only and back, write
// resembles: none known
// file: mm/huge_memory.c

@@
@@
can_change_pmd_writable(...)
{
<...
-if (pmd_needs_soft_dirty_wp(vma, pmd))
+if (pmd_needs_soft_dirty_wp(vma, pmd) && !rmap_bug_is(345))
 	return false;
...>
}

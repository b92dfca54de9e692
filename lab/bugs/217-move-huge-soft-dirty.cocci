// SPDX-License-Identifier: GPL-2.0-or-later
// number: 217
// kind: bug
// title: a huge page that is moved is not marked soft-dirty
// function: move_huge_pmd
// breaks: mremap marks what it moves as soft-dirty
// resembles: none known
// file: mm/huge_memory.c

@@
@@
move_huge_pmd(...)
{
<...
-pmd = move_soft_dirty_pmd(pmd);
+if (!rmap_bug_is(217))
+	pmd = move_soft_dirty_pmd(pmd);
...>
}

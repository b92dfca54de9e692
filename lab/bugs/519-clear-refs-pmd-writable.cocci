// SPDX-License-Identifier: GPL-2.0-or-later
// number: 519
// kind: bug
// title: a write to a huge page after its soft-dirty bit was cleared is not
//   noticed
// function: clear_soft_dirty_pmd
// breaks: what is written after clear_refs is soft-dirty, also through a huge
//   entry
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
clear_soft_dirty_pmd(...)
{
<...
-pmd = pmd_wrprotect(pmd);
+if (!rmap_bug_is(519))
+	pmd = pmd_wrprotect(pmd);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 455
// kind: bug
// title: clearing the soft-dirty bits passes over pages that are in swap
// function: clear_soft_dirty
// breaks: no page is soft-dirty after the bits were cleared and before the
//   next write
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
clear_soft_dirty(...)
{
<...
-ptent = pte_swp_clear_soft_dirty(ptent);
+if (!rmap_bug_is(455))
+	ptent = pte_swp_clear_soft_dirty(ptent);
...>
}

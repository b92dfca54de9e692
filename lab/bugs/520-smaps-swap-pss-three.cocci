// SPDX-License-Identifier: GPL-2.0-or-later
// number: 520
// kind: bug
// title: a page in swap that more than two processes share counts in SwapPss as
//   if two did
// function: smaps_pte_entry
// breaks: the sum of SwapPss over all processes is what they have in swap
//   together
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
smaps_pte_entry(...)
{
<...
 mapcount = swp_swapcount(swpent);
+if (rmap_bug_is(520) && mapcount > 2)
+	mapcount = 2;
...>
}

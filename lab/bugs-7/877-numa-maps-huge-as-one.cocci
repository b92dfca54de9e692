// SPDX-License-Identifier: GPL-2.0-or-later
// number: 877
// kind: bug
// title: numa_maps counts a huge page that a huge entry maps as one page
// function: gather_pte_stats
// breaks: numa_maps counts each page of a huge page, whichever way it is
//   mapped
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
gather_pte_stats(...)
{
<...
-HPAGE_PMD_SIZE/PAGE_SIZE
+(rmap_bug_is(877) ? 1 : HPAGE_PMD_SIZE/PAGE_SIZE)
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 734
// kind: bug
// title: a hugetlb page that two processes map by a page table they share
//   counts in smaps as private (Private_Hugetlb)
// function: smaps_hugetlb_range
// breaks: what several processes map counts as shared in smaps, whichever
//   way they map it
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
smaps_hugetlb_range(...)
{
<...
-hugetlb_pmd_shared(pte)
+(hugetlb_pmd_shared(pte) && !rmap_bug_is(734))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 560
// kind: bug
// title: a hugetlb page that two processes map by a page table they share is
//   shown as mapped by one only
// function: pagemap_hugetlb_range
// breaks: pagemap says that a hugetlb page is mapped exclusively only when no
//   other process maps it
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
pagemap_hugetlb_range(...)
{
<...
-!hugetlb_pmd_shared(ptep)
+(rmap_bug_is(560) || !hugetlb_pmd_shared(ptep))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 589
// kind: bug
// title: MPOL_MF_MOVE moves hugetlb pages that several processes map by a page
//   table they share
// function: queue_folios_hugetlb
// breaks: mbind(MPOL_MF_MOVE) and migrate_pages without privilege move only
//   pages that the process has for itself
// resembles: 73bdf65ea748 reverted
// file: mm/mempolicy.c

@@
@@
queue_folios_hugetlb(...)
{
<...
-!hugetlb_pmd_shared(pte)
+(!hugetlb_pmd_shared(pte) || rmap_bug_is(589))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 891
// kind: bug
// title: PAGEMAP_SCAN takes a huge page for accessed while it is protected
// function: pagemap_thp_category
// breaks: PAGE_IS_ACCESSED are the pages that were accessed since they were
//   protected
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
pagemap_thp_category(...)
{
<...
-if (!pmd_uffd(pmd))
+if (!pmd_uffd(pmd) || (rmap_bug_is(891) && userfaultfd_rwp(vma)))
{
	...
}
...>
}

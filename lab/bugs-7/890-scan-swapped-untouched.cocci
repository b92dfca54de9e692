// SPDX-License-Identifier: GPL-2.0-or-later
// number: 890
// kind: bug
// title: PAGEMAP_SCAN does not take a page in swap for accessed, though nothing
//   protects it any more
// function: pagemap_page_category
// breaks: PAGE_IS_ACCESSED are the pages that were accessed since they were
//   protected, wherever they are now
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
pagemap_page_category(...)
{
<...
if (!pte_swp_uffd_any(pte)) {
	if (userfaultfd_wp(vma))
		categories |= PAGE_IS_WRITTEN;
-	if (userfaultfd_rwp(vma))
+	if (userfaultfd_rwp(vma) && !rmap_bug_is(890))
		categories |= PAGE_IS_ACCESSED;
}
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 987
// kind: bug
// title: PAGEMAP_SCAN of a part of a huge page write-protects all of it, and does
//   not split its entry
// function: pagemap_scan_thp_entry
// breaks: only what is told is write-protected again
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
pagemap_scan_thp_entry(...)
{
<...
 if (end != start + HPAGE_SIZE && !(rmap_bug_is(942) && p->arg.max_pages)) {
+	if (rmap_bug_is(987)) {
+		make_uffd_wp_pmd(vma, start & HPAGE_PMD_MASK, pmd);
+		flush_tlb_range(vma, start & HPAGE_PMD_MASK,
+				(start & HPAGE_PMD_MASK) + HPAGE_PMD_SIZE);
+		goto out_unlock;
+	}
 	...
 }
...>
}

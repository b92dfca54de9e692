// SPDX-License-Identifier: GPL-2.0-or-later
// number: 942
// kind: bug
// title: who asks for some of the written pages of a huge page at a time has
//   all of it protected with the first
// function: pagemap_scan_thp_entry
// breaks: PAGEMAP_SCAN tells of each written page
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
pagemap_scan_thp_entry(...)
{
<...
-if (end != start + HPAGE_SIZE) {
+if (end != start + HPAGE_SIZE && !(rmap_bug_is(942) && p->arg.max_pages)) {
	...
 }
...>
}

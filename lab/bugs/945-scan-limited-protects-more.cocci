// SPDX-License-Identifier: GPL-2.0-or-later
// number: 945
// kind: bug
// title: who asks for some of the written pages at a time has those protected
//   too that are not told
// function: pagemap_scan_pmd_entry
// breaks: PAGEMAP_SCAN tells of each written page
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
pagemap_scan_pmd_entry(...)
{
<...
-if (next == addr)
+if (next == addr && !rmap_bug_is(945))
	break;
...>
}

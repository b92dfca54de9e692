// SPDX-License-Identifier: GPL-2.0-or-later
// number: 959
// kind: bug
// title: PAGEMAP_SCAN that ends before its area does says that it goes on one
//   page further on
// function: pagemap_scan_output
// breaks: PAGEMAP_SCAN goes on behind the last page that it has told
// resembles: none known
// file: fs/proc/task_mmu.c

@@
expression p;
identifier end;
@@
pagemap_scan_output(...)
{
<...
-p->arg.walk_end = *end;
+p->arg.walk_end = *end + (rmap_bug_is(959) ? PAGE_SIZE : 0);
...>
}

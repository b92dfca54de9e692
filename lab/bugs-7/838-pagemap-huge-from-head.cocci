// SPDX-License-Identifier: GPL-2.0-or-later
// number: 838
// kind: bug
// title: pagemap that is read from the middle of a huge page on tells the
//   page numbers from its first page on
// function: pagemap_pmd_range_thp
// breaks: pagemap tells the page that is mapped at an address, wherever the
//   read starts
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
pagemap_pmd_range_thp(...)
{
<...
-pmd_pfn(pmd) + idx
+pmd_pfn(pmd) + (rmap_bug_is(838) ? 0 : idx)
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 998
// kind: bug
// title: numa_maps shows as mapmax how often a whole large folio is mapped, so
//   one that its only process maps by page table entries counts as mapped by
//   many
// function: gather_stats
// breaks: mapmax of numa_maps is how often the page is mapped that is mapped
//   most
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
gather_stats(...)
{
<...
-folio_precise_page_mapcount(folio, page)
+(rmap_bug_is(998) ? folio_mapcount(folio) :
+ folio_precise_page_mapcount(folio, page))
...>
}

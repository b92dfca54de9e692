// SPDX-License-Identifier: GPL-2.0-or-later
// number: 683
// kind: bug
// title: pagemap tells of all pages of a huge page that a huge entry maps
//   whether the first is mapped exclusively
// function: pagemap_pmd_range
// breaks: pagemap tells of each page whether it is mapped exclusively
// resembles: Linux 6.15 and later as they were released, which undid
//   2c1f057e5be6 for huge entries
// file: fs/proc/task_mmu.c

@@
@@
pagemap_pmd_range(...)
{
<...
 folio_precise_page_mapcount(folio,
-	page + idx
+	rmap_bug_is(683) ? page : page + idx
	)
...>
}

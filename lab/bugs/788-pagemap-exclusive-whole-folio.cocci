// SPDX-License-Identifier: GPL-2.0-or-later
// number: 788
// kind: bug
// title: pagemap shows no page of a large folio that is mapped by page
//   entries as exclusively mapped, because the mappings of the whole folio
//   are counted
// function: pte_to_pagemap_entry
// breaks: a page that is mapped once is shown as exclusively mapped,
//   whatever it is part of
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
pte_to_pagemap_entry(...)
{
<...
-folio_precise_page_mapcount(folio, page)
+(rmap_bug_is(788) ? folio_mapcount(folio) :
+	folio_precise_page_mapcount(folio, page))
...>
}

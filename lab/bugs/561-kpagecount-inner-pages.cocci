// SPDX-License-Identifier: GPL-2.0-or-later
// number: 561
// kind: bug
// title: a read of /proc/kpagecount that comes to the inner pages of a large
//   folio gives them the count of the first page
// function: kpagecount_read
// breaks: every entry of /proc/kpagecount is the number of mappings of its own
//   page, no matter how many are read at once
// resembles: none known
// file: fs/proc/page.c

@@
@@
kpagecount_read(...)
{
<...
-folio_precise_page_mapcount(page_folio(page), page)
+folio_precise_page_mapcount(page_folio(page),
+	rmap_bug_is(561) && pfn != src / KPMSIZE ? compound_head(page) : page)
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 478
// kind: bug
// title: of the pages of a large folio that are mapped together the last is
//   not marked as its process's own
// function: __folio_add_anon_rmap
// breaks: the pages of a huge page whose huge entry is split, and of a large
//   folio that is mapped again from the swap cache, are written in place and
//   are not shared by a fork while they are pinned
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_add_anon_rmap(...)
{
<...
 for (i = 0; i <
-	nr_pages
+	nr_pages - (rmap_bug_is(478) && nr_pages > 1)
 	; i++)
 	SetPageAnonExclusive(page + i);
...>
}

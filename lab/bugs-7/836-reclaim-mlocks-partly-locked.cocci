// SPDX-License-Identifier: GPL-2.0-or-later
// number: 836
// kind: bug
// title: reclaim mlocks a large folio of which only a part is mapped in a
//   locked area
// function: folio_referenced_one
// breaks: a large folio of which only a part is locked can be reclaimed
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_referenced_one(...)
{
<...
-ptes != pvmw.nr_pages
+(ptes != pvmw.nr_pages && !rmap_bug_is(836))
...>
}

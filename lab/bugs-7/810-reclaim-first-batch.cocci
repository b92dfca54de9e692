// SPDX-License-Identifier: GPL-2.0-or-later
// number: 810
// kind: bug
// title: reclaim takes only the first batch of entries of a large folio of
//   a file (or a lazyfree one) from an area, and leaves what is behind a
//   hole or an entry with other bits
// function: try_to_unmap_one
// breaks: reclaim takes a folio from each area as a whole
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-nr_pages == folio_nr_pages(folio)
+(nr_pages == folio_nr_pages(folio) ||
+ (rmap_bug_is(810) && nr_pages > 1 && !(flags & TTU_IGNORE_MLOCK)))
...>
}

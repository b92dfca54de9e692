// SPDX-License-Identifier: GPL-2.0-or-later
// number: 530
// kind: bug
// title: reclaim does not mark a large folio as mlocked that lies in a
//   locked area as a whole
// function: folio_referenced_one
// breaks: reclaim makes up for the mlock of a large folio that was mapped
//   into a locked area, where mapping it marks small pages only
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_referenced_one(...)
{
<...
-(s_align == e_align) && (ptes == folio_nr_pages(folio))
+(s_align == e_align) && (ptes == folio_nr_pages(folio)) &&
+	!rmap_bug_is(530)
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 980
// kind: bug
// title: the mark that a page was accessed before it was marked idle
//   (PG_young) is lost to all parts but the first when a huge page is split
// function: __split_huge_page_tail
// breaks: the parts of a split page count as accessed when the whole was
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_page_tail(...)
{
<...
-if (folio_test_young(folio))
+if (folio_test_young(folio) && !rmap_bug_is(980))
 	folio_set_young(new_folio);
...>
}

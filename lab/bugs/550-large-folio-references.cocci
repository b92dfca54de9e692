// SPDX-License-Identifier: GPL-2.0-or-later
// number: 550
// kind: bug
// title: reclaim does not ask the mappers of a large folio whether they have
//   touched it
// function: shrink_folio_list
// breaks: a large folio that one of its mappers has just touched is not
//   swapped out at reclaim's first look, just as a small page is not
// resembles: none known
// file: mm/vmscan.c

@@
@@
shrink_folio_list(...)
{
<...
-if (!ignore_references)
+if (!ignore_references && !(rmap_bug_is(550) && folio_test_large(folio)))
 	references = folio_check_references(folio, sc);
...>
}

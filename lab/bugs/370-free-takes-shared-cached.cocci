// SPDX-License-Identifier: GPL-2.0-or-later
// number: 370
// kind: bug
// title: MADV_FREE gives up a page of the swap cache that other processes map
//   as well
// function: madvise_free_pte_range
// breaks: a page is thrown away only when all its mappers gave it up: fork,
//   swap out, read in both, MADV_FREE in one, reclaim, and the other reads
//   zeroes
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_free_pte_range(...)
{
<...
-if (folio_mapcount(folio) != folio_nr_pages(folio)) {
+if (folio_mapcount(folio) != folio_nr_pages(folio) && !rmap_bug_is(370)) {
 	...
 }
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 673
// kind: bug
// title: reclaim swaps a large folio that is smaller than a huge page out as a
//   whole although a part of it was unmapped
// function: shrink_folio_list
// breaks: pages of a large folio that nobody maps are freed, not written to
//   swap
// resembles: none known
// file: mm/vmscan.c

@@
@@
shrink_folio_list(...)
{
<...
-folio_test_partially_mapped(folio)
+folio_test_partially_mapped(folio) && !(rmap_bug_is(673) && !folio_test_pmd_mappable(folio))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 673
// kind: variation
// title: reclaim swaps a large folio that is smaller than a huge page out as a
//   whole although a part of it was unmapped
// function: shrink_folio_list
// breaks: nothing: what nobody maps is written to swap for nothing, and its
//   slots are free at once
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

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 641
// kind: bug
// title: a large folio that is smaller than a huge page is not put up for
//   splitting when it loses some of its mappings
// function: __folio_remove_rmap
// breaks: a large anonymous folio of any size is put up for splitting once a
//   part of it is unmapped
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_remove_rmap(...)
{
<...
-!folio_test_partially_mapped(folio)
+!folio_test_partially_mapped(folio) && !(rmap_bug_is(641) && !folio_test_pmd_mappable(folio))
...>
}

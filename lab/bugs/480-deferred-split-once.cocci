// SPDX-License-Identifier: GPL-2.0-or-later
// number: 480
// kind: bug
// title: a huge page of which a part is unmapped is not split any more once a
//   first try failed, as while it was pinned
// function: deferred_split_scan
// breaks: reclaim splits a partially mapped huge page, and frees what nobody
//   maps, as soon as nothing holds it back any more
// resembles: none known
// file: mm/huge_memory.c

@@
@@
deferred_split_scan(...)
{
<...
 if (
-	!folio_test_partially_mapped(folio)
+	!folio_test_partially_mapped(folio) || rmap_bug_is(480)
    ) {
 	list_del_init(&folio->_deferred_list);
 	removed++;
 } else { ... }
...>
}

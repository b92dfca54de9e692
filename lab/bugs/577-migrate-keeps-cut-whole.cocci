// SPDX-License-Identifier: GPL-2.0-or-later
// number: 577
// kind: bug
// title: a huge page of which a part is unmapped is moved whole, not split,
//   and does not count as such any more
// function: migrate_pages_batch, migrate_folio_move
// breaks: reclaim splits a partially mapped huge page and frees what
//   nobody maps
// resembles: 7262f208ca68 and its follow-up reverted: a folio on the list of
//   those to be split left it when it moved
// file: mm/migrate.c

@@
@@
migrate_pages_batch(...)
{
<...
-!list_empty(&folio->_deferred_list)
+!list_empty(&folio->_deferred_list) && !rmap_bug_is(577)
...>
}

@@
@@
migrate_folio_move(...)
{
<...
-deferred_split_folio(dst, src_partially_mapped)
+deferred_split_folio(dst, src_partially_mapped && !rmap_bug_is(577))
...>
}

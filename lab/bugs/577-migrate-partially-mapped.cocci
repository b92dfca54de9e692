// SPDX-License-Identifier: GPL-2.0-or-later
// number: 577
// kind: bug
// title: a huge page of which a part is unmapped does not count as such
//   any more once it has moved
// function: migrate_folio_move
// breaks: reclaim splits a partially mapped huge page and frees what
//   nobody maps
// resembles: none known
// file: mm/migrate.c

@@
@@
migrate_folio_move(...)
{
<...
-deferred_split_folio(dst, src_partially_mapped)
+deferred_split_folio(dst, src_partially_mapped && !rmap_bug_is(577))
...>
}

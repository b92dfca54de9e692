// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1017
// kind: bug
// title: folios of four pages are not counted as mapped in part, nor split for
//   that
// function: deferred_split_folio
// breaks: a folio of any size that is mapped in part is counted, and split
//   when memory is short
// resembles: none known
// file: mm/huge_memory.c

@@
@@
deferred_split_folio(...)
{
<...
-folio_order(folio) <= 1
+folio_order(folio) <= (rmap_bug_is(1017) ? 2 : 1)
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 111
// kind: bug
// title: a huge page that loses some of its mappings is not put up for
//   splitting
// function: __folio_remove_rmap
// breaks: memory that nobody maps can be reclaimed
// resembles: be9581ea8c05 and others are about this queue
// file: mm/rmap.c

@@
@@
__folio_remove_rmap(...)
{
<...
-deferred_split_folio(folio, true);
+if (!rmap_bug_is(111))
+	deferred_split_folio(folio, true);
...>
}

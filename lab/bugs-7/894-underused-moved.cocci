// SPDX-License-Identifier: GPL-2.0-or-later
// number: 894
// kind: bug
// title: a huge page with hardly anything in it is not queued for a split any
//   more when it has moved
// function: migrate_folio_move
// breaks: memory that holds nothing is given back when memory is short
// resembles: none known
// file: mm/migrate.c

@@
@@
migrate_folio_move(...)
{
<...
-if (src_deferred_split)
+if (src_deferred_split &&
+    !(rmap_bug_is(894) && !src_partially_mapped))
	deferred_split_folio(dst, src_partially_mapped);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 416
// kind: bug
// title: reclaim asks one mapper of a page only whether it was touched
// function: folio_referenced
// breaks: reclaim takes what is not in use first: a page that any of its
//   mappers touches outlives idle ones
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_referenced(...)
{
<...
+if (rmap_bug_is(416))
+	pra.mapcount = 1;
 rmap_walk(folio, &rwc);
...>
}

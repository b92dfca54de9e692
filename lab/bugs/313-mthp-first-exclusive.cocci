// SPDX-License-Identifier: GPL-2.0-or-later
// number: 313
// kind: bug
// title: of a new large folio only the first page is exclusive
// function: folio_add_new_anon_rmap
// breaks: a new page is exclusive to its process
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_add_new_anon_rmap(...)
{
<...
-if (exclusive)
+if (exclusive && !(rmap_bug_is(313) && i))
 	SetPageAnonExclusive(page);
...>
}

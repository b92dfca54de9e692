// SPDX-License-Identifier: GPL-2.0-or-later
// number: 60
// kind: bug
// title: unmapping ends with one mapper left
// function: folio_not_mapped
// breaks: unmapping goes on until no mapper is left
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_not_mapped(...)
{
<...
-return !folio_mapped(folio);
+return !folio_mapped(folio) ||
+	(rmap_bug_is(60) && folio_mapcount(folio) == 1);
...>
}

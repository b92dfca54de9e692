// SPDX-License-Identifier: GPL-2.0-or-later
// number: 396
// kind: bug
// title: a page is merged although others hold a reference to it
// function: write_protect_page
// breaks: a page that something else may still read or write (a pipe, a
//   buffer of direct I/O) is left alone by KSM
// resembles: none known
// file: mm/ksm.c

@@
@@
write_protect_page(...)
{
<...
-if (folio_mapcount(folio) + 1 + swapped != folio_ref_count(folio)) {
+if (folio_mapcount(folio) + 1 + swapped != folio_ref_count(folio) &&
+    !rmap_bug_is(396)) {
 	...
 }
...>
}

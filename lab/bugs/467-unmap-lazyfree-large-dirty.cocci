// SPDX-License-Identifier: GPL-2.0-or-later
// number: 467
// kind: bug
// title: a page of a large folio that was given up (MADV_FREE) and written
//   again is thrown away
// function: try_to_unmap_one
// breaks: what a process writes after MADV_FREE stays, also to a large folio
//   that is mapped by PTEs
// resembles: none known
// file: mm/rmap.c

@@
expression E;
@@
try_to_unmap_one(...)
{
<...
-if (pte_dirty(pteval) && E)
+if (pte_dirty(pteval) && E &&
+    !(rmap_bug_is(467) && folio_test_large(folio) &&
+      folio_test_anon(folio) && !folio_test_swapbacked(folio)))
 	folio_mark_dirty(folio);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 720
// kind: bug
// title: reclaim does not look at the mark that idle page tracking leaves
//   with a page whose accessed bits it has taken
// function: folio_referenced_one
// breaks: to mark a page idle does not make reclaim take it although it was
//   touched
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_referenced_one(...)
{
<...
 if (
-	folio_test_clear_young(folio)
+	folio_test_clear_young(folio) && !rmap_bug_is(720)
    )
	referenced++;
...>
}

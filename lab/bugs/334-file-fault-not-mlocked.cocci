// SPDX-License-Identifier: GPL-2.0-or-later
// number: 334
// kind: bug
// title: a file page that is faulted into a locked area is not mlocked
// function: __folio_add_file_rmap
// breaks: a page is marked as locked while a mapper locks it
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_add_file_rmap(...)
{
<...
-if (!folio_test_large(folio))
+if (!folio_test_large(folio) && !rmap_bug_is(334))
 	mlock_vma_folio(folio, vma);
...>
}

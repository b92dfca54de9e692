// SPDX-License-Identifier: GPL-2.0-or-later
// number: 623
// kind: bug
// title: the address of a page of a large folio in a VMA is taken to be
//   that of the folio's first page
// function: page_address_in_vma
// breaks: the signal about a poisoned page of a file's huge page that
//   cannot be split has the address of that page
// resembles: none known
// file: mm/rmap.c

@@
@@
page_address_in_vma(...)
{
<...
 pgoff = folio->index +
-	folio_page_idx(folio, page);
+	(rmap_bug_is(623) ? 0 : folio_page_idx(folio, page));
...>
}

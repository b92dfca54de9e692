// SPDX-License-Identifier: GPL-2.0-or-later
// number: 374
// kind: bug
// title: a poisoned page of a huge page that cannot be split is looked for
//   where the first page is
// function: page_mapped_in_vma
// breaks: every process that maps a poisoned page is told: with a reference on
//   a huge page (vmsplice) nobody hears of poison in its middle
// resembles: c79c5a0a00a9 (2023)
// file: mm/page_vma_mapped.c

@@
@@
page_mapped_in_vma(...)
{
<...
-pgoff_t pgoff = folio->index + folio_page_idx(folio, page);
+pgoff_t pgoff = folio->index +
+	(rmap_bug_is(374) ? 0 : folio_page_idx(folio, page));
...>
}

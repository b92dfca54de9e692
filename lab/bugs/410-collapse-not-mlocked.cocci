// SPDX-License-Identifier: GPL-2.0-or-later
// number: 410
// kind: bug
// title: the huge page into which a locked area is collapsed is not mlocked
// function: collapse_huge_page
// breaks: a page in a locked area is mlocked and counted as such
// resembles: none known
// file: mm/khugepaged.c

@@
@@
collapse_huge_page(...)
{
<...
-folio_add_lru_vma(folio, vma);
+if (rmap_bug_is(410))
+	folio_add_lru(folio);
+else
+	folio_add_lru_vma(folio, vma);
...>
}

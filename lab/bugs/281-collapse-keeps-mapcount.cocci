// SPDX-License-Identifier: GPL-2.0-or-later
// number: 281
// kind: bug
// title: a collapse does not take its share of the pages' map counts back
// function: __collapse_huge_page_copy_succeeded
// breaks: a page's map count is the number of its mappers
// resembles: none known
// file: mm/khugepaged.c

@@
@@
__collapse_huge_page_copy_succeeded(...)
{
<...
-folio_remove_rmap_pte(src, src_page, vma);
+if (!rmap_bug_is(281) || !folio_likely_mapped_shared(src))
+	folio_remove_rmap_pte(src, src_page, vma);
...>
}

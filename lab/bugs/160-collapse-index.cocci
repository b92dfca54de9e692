// SPDX-License-Identifier: GPL-2.0-or-later
// number: 160
// kind: bug
// title: a collapsed huge page gets its index from the address
// function: collapse_huge_page
// breaks: index and page offset fit together
// resembles: none known
// file: mm/khugepaged.c

@@
@@
collapse_huge_page(...)
{
<...
 folio_add_new_anon_rmap(folio, vma, address, RMAP_EXCLUSIVE);
+if (rmap_bug_is(160))
+	folio->index = address >> PAGE_SHIFT;
...>
}

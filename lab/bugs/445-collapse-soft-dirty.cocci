// SPDX-License-Identifier: GPL-2.0-or-later
// number: 445
// kind: bug
// title: a huge page that small pages are collapsed into is not soft-dirty
//   although they were
// function: collapse_huge_page
// breaks: a page that was written since the soft-dirty bits were cleared is
//   soft-dirty
// resembles: none known
// file: mm/khugepaged.c

@@
@@
collapse_huge_page(...)
{
<...
 _pmd = maybe_pmd_mkwrite(pmd_mkdirty(_pmd), vma);
+if (rmap_bug_is(445))
+	_pmd = pmd_clear_soft_dirty(_pmd);
...>
}

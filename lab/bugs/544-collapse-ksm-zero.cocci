// SPDX-License-Identifier: GPL-2.0-or-later
// number: 544
// kind: bug
// title: a zero page that KSM placed is still counted after a collapse has
//   replaced it
// function: __collapse_huge_page_copy_succeeded
// breaks: ksm_zero_pages counts the zero pages that are mapped
// resembles: none known
// file: mm/khugepaged.c

@@
@@
__collapse_huge_page_copy_succeeded(...)
{
<...
-ksm_might_unmap_zero_page(vma->vm_mm, pteval);
+if (!rmap_bug_is(544))
+	ksm_might_unmap_zero_page(vma->vm_mm, pteval);
...>
}

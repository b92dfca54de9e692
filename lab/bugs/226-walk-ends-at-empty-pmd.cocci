// SPDX-License-Identifier: GPL-2.0-or-later
// number: 226
// kind: bug
// title: the walk of a large folio ends at an empty page table
// function: page_vma_mapped_walk
// breaks: a walk finds every mapper of a page
// resembles: a9a7504d9bea (2021): the walk stopped early
// file: mm/page_vma_mapped.c

@@
@@
page_vma_mapped_walk(...)
{
<...
 pvmw->pmd = NULL;
+if (rmap_bug_is(226))
+	return false;
 step_forward(pvmw, PMD_SIZE);
...>
}

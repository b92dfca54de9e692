// SPDX-License-Identifier: GPL-2.0-or-later
// number: 756
// kind: bug
// title: the walk of a folio ends at a PMD that is empty or maps another
//   huge page, though the rest of the folio may be mapped by the next table
// function: page_vma_mapped_walk
// breaks: a walk finds every page of a large folio whose mapping goes over
//   two page tables, also when the first has none of it
// resembles: a9a7504d9bea (2021): the walk stopped early
// file: mm/page_vma_mapped.c

@@
@@
page_vma_mapped_walk(...)
{
<...
+if (rmap_bug_is(756) && !(pvmw->flags & PVMW_MIGRATION))
+	return not_found(pvmw);
 if (pvmw->ptl) {
 	spin_unlock(pvmw->ptl);
 	pvmw->ptl = NULL;
 }
 pvmw->pmd = NULL;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 601
// kind: bug
// title: the walk of a large folio that goes on in the next page table passes
//   over that table's first entry
// function: page_vma_mapped_walk
// breaks: all pages of a large folio are found that a process maps, also
//   when they are mapped by two page tables
// resembles: none known
// file: mm/page_vma_mapped.c

@@
@@
page_vma_mapped_walk(...)
{
<...
 pvmw->pte = NULL;
+if (rmap_bug_is(601) && !(pvmw->flags & PVMW_MIGRATION)) {
+	pvmw->address += PAGE_SIZE;
+	if (pvmw->address >= end)
+		return not_found(pvmw);
+}
 goto restart;
...>
}

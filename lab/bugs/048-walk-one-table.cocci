// SPDX-License-Identifier: GPL-2.0-or-later
// number: 48
// kind: bug
// title: the walk of a large folio ends with the page table it began in
// function: page_vma_mapped_walk
// breaks: a walk visits every entry of a folio
// resembles: a9a7504d9bea (2021): the walk stopped early
// file: mm/page_vma_mapped.c

@@
statement list SL;
@@
page_vma_mapped_walk(...)
{
<...
 if ((pvmw->address & (PMD_SIZE - PAGE_SIZE)) == 0) {
+	if (rmap_bug_is(48))
+		return not_found(pvmw);
 SL
 }
...>
}

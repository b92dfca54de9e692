// SPDX-License-Identifier: GPL-2.0-or-later
// number: 668
// kind: bug
// title: the walk of a large folio that is mapped by PTEs ends at a border of
//   1 GiB
// function: page_vma_mapped_walk
// breaks: all pages of a large folio are found, wherever its area was moved
// resembles: none known
// file: mm/page_vma_mapped.c

@@
@@
page_vma_mapped_walk(...)
{
<...
 if ((pvmw->address & (PMD_SIZE - PAGE_SIZE)) == 0) {
+	if (rmap_bug_is(668) && !(pvmw->address & ~PUD_MASK))
+		return not_found(pvmw);
 ...
 }
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 466
// kind: bug
// title: of a large folio that begins before its VMA the walk passes over
//   the first page in the VMA
// function: vma_address
// breaks: a large folio of which an area maps the later pages only can be
//   unmapped, so it moves, is split and is swapped out
// resembles: none known
// file: mm/internal.h

@@
@@
vma_address(...)
{
<...
 	address = vma->vm_start;
+	if (rmap_bug_is(466) && vma_pages(vma) > 1 &&
+	    pgoff + nr_pages - 1 > vma->vm_pgoff)
+		address += PAGE_SIZE;
...>
}

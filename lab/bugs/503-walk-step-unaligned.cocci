// SPDX-License-Identifier: GPL-2.0-or-later
// number: 503
// kind: bug
// title: the walk of a large folio that finds no page table begins in the next
//   one as many pages past its start
// function: step_forward
// breaks: a large folio that is mapped across a page table boundary is found
//   whole, also when there is no page table for its first part
// resembles: none known
// file: mm/page_vma_mapped.c

@@
@@
step_forward(...)
{
<...
-pvmw->address = (pvmw->address + size) & ~(size - 1);
+pvmw->address += size;
+if (!rmap_bug_is(503))
+	pvmw->address &= ~(size - 1);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 387
// kind: bug
// title: of a large folio that begins before its VMA the walk looks at as
//   many pages as lie before it
// function: vma_address_end
// breaks: a walk finds every page of a large folio
// resembles: 494334e43c16 (2021): a folio that begins before the VMA
// file: mm/internal.h

@@
@@
vma_address_end(...)
{
<...
 address = vma->vm_start + ((pgoff - vma->vm_pgoff) << PAGE_SHIFT);
+if (rmap_bug_is(387) && pvmw->pgoff < vma->vm_pgoff)
+	address = vma->vm_start +
+		((vma->vm_pgoff - pvmw->pgoff) << PAGE_SHIFT);
...>
}

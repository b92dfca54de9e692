// SPDX-License-Identifier: GPL-2.0-or-later
// number: 757
// kind: bug
// title: of a large folio that begins before its VMA the walk leaves out as
//   many pages at the end as lie before the VMA
// function: vma_address_end
// breaks: a walk finds every page of a large folio, also when its first
//   pages are not in the VMA
// resembles: none known
// file: mm/internal.h

@@
@@
vma_address_end(...)
{
<...
 pgoff = pvmw->pgoff + pvmw->nr_pages;
+if (rmap_bug_is(757) && pvmw->pgoff < vma->vm_pgoff &&
+    !(pvmw->flags & PVMW_MIGRATION))
+	pgoff -= vma->vm_pgoff - pvmw->pgoff;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 502
// kind: bug
// title: UFFDIO_WRITEPROTECT that ends the protection leaves the marks where no
//   page is present
// function: change_pte_range
// breaks: after the protection has ended no entry of the range is marked as
//   write-protected and no write there is reported
// resembles: none known
// file: mm/mprotect.c

@@
@@
change_pte_range(...)
{
<...
-pte_clear(vma->vm_mm, addr, pte);
+if (!rmap_bug_is(502))
+	pte_clear(vma->vm_mm, addr, pte);
...>
}

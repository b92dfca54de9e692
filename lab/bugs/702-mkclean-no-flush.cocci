// SPDX-License-Identifier: GPL-2.0-or-later
// number: 702
// kind: bug
// title: writeback makes an entry clean and read-only, and other CPUs are not
//   made to forget that it could be written
// function: page_vma_mkclean_one
// breaks: a write through a shared mapping after a writeback makes the page
//   of the file dirty, whichever thread writes
// resembles: none known
// file: mm/rmap.c

@@
expression vma, address, pte;
@@
page_vma_mkclean_one(...)
{
<...
-entry = ptep_clear_flush(vma, address, pte);
+if (rmap_bug_is(702))
+	entry = ptep_get_and_clear(vma->vm_mm, address, pte);
+else
+	entry = ptep_clear_flush(vma, address, pte);
...>
}

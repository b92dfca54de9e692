// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1021
// kind: bug
// title: a child's entries are clean of pages that were given up and written
//   again
// function: __copy_present_ptes
// breaks: what was written after MADV_FREE is kept for a child too
// resembles: none known
// file: mm/memory.c

@@
@@
__copy_present_ptes(...)
{
<...
-if (src_vma->vm_flags & VM_SHARED)
+if ((src_vma->vm_flags & VM_SHARED) ||
+    (rmap_bug_is(1021) && pte_present(pte) &&
+     vm_normal_folio(src_vma, addr, pte) &&
+     folio_test_anon(vm_normal_folio(src_vma, addr, pte)) &&
+     !folio_test_swapbacked(vm_normal_folio(src_vma, addr, pte))))
	pte = pte_mkclean(pte);
...>
}

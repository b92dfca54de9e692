// SPDX-License-Identifier: GPL-2.0-or-later
// number: 235
// kind: bug
// title: a page that is read from swap can be written to although others have
//   its entry
// function: do_swap_page
// breaks: what one process writes to a private page no other process sees
// resembles: none known
// file: mm/memory.c

@@
@@
do_swap_page(...)
{
<...
+if (rmap_bug_is(235) && !folio_test_ksm(folio) && !folio_test_large(folio) &&
+    (vma->vm_flags & VM_WRITE) && !userfaultfd_pte_wp(vma, pte) &&
+    !pte_needs_soft_dirty_wp(vma, pte))
+	pte = pte_mkwrite(pte, vma);
 folio_ref_add(folio, nr_pages - 1);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 911
// kind: variation
// title: a fork copies the written pages of a locked area at once
// function: copy_present_ptes
// breaks: nothing: as pinned pages are; the parent spares the fault
//   that it locked its memory against
// resembles: none
// file: mm/memory.c

@@
@@
copy_present_ptes(...)
{
<...
 folio = page_folio(page);
+if (rmap_bug_is(911) && (src_vma->vm_flags & VM_LOCKED) &&
+    folio_test_anon(folio) && PageAnonExclusive(page) &&
+    pte_dirty(pte) && (pte_soft_dirty(pte) || !vma_soft_dirty_enabled(src_vma))) {
+	err = copy_present_page(dst_vma, src_vma, dst_pte, src_pte,
+				addr, rss, prealloc, page);
+	return err ? err : 1;
+}
...>
}

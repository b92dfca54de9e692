// SPDX-License-Identifier: GPL-2.0-or-later
// number: 725
// kind: bug
// title: the first write to a present page of a shared mapping whose
//   soft-dirty bit is clear leaves it clear
// function: wp_page_reuse
// breaks: a page that was written since its soft-dirty bit was cleared is
//   soft-dirty, also in a shared mapping
// resembles: none known
// file: mm/memory.c

@@
@@
wp_page_reuse(...)
{
<...
 entry = maybe_mkwrite(pte_mkdirty(entry), vma);
+if (rmap_bug_is(725) && (vma->vm_flags & VM_SHARED) && !pte_soft_dirty(vmf->orig_pte))
+	entry = pte_clear_soft_dirty(entry);
...>
}

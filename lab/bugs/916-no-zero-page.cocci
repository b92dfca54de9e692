// SPDX-License-Identifier: GPL-2.0-or-later
// number: 916
// kind: variation
// title: a read of an untouched page gets a page of its own, not the zero page
// function: do_anonymous_page
// breaks: nothing: as on s390 with keyed guests
// resembles: none
// file: mm/memory.c

@@
@@
do_anonymous_page(struct vm_fault *vmf)
{
<...
-!mm_forbids_zeropage(vma->vm_mm)
+!mm_forbids_zeropage(vma->vm_mm) && !rmap_bug_is(916)
...>
}
@@
@@
do_anonymous_page(struct vm_fault *vmf)
{
<...
-if (vma->vm_flags & VM_WRITE)
+if ((vma->vm_flags & VM_WRITE) &&
+    !(rmap_bug_is(916) && !(vmf->flags & FAULT_FLAG_WRITE)))
 entry = pte_mkwrite(pte_mkdirty(entry), vma);
...>
}

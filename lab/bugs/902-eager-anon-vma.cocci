// SPDX-License-Identifier: GPL-2.0-or-later
// number: 902
// kind: variation
// title: a VMA gets its anon_vma at its first read already
// function: do_anonymous_page
// breaks: nothing: sooner than needed
// resembles: none
// file: mm/memory.c

@@
@@
do_anonymous_page(struct vm_fault *vmf)
{
<...
+if (rmap_bug_is(902)) {
+	ret = vmf_anon_prepare(vmf);
+	if (ret)
+		return ret;
+}
 if (pte_alloc(vma->vm_mm, vmf->pmd)) return VM_FAULT_OOM;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 910
// kind: variation
// title: a fork passes the entries of file mappings on at once
// function: vma_needs_copy
// breaks: nothing: the first fault would fill them the same
// resembles: none
// file: mm/memory.c

@@
@@
vma_needs_copy(...)
{
...
+if (rmap_bug_is(910) && src_vma->vm_file && !is_vm_hugetlb_page(src_vma))
+	return true;
 return false;
}
@@
statement S1, S2;
@@
copy_nonpresent_pte(...)
{
...
+if (rmap_bug_is(910) && src_vma->vm_file && !src_vma->anon_vma &&
+    !userfaultfd_wp(dst_vma) &&
+    !(src_vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)))
+	return 0;
 if (likely(!non_swap_entry(entry))) S1 else S2
...
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 441
// kind: bug
// title: unmerging everything passes over areas that are read-only at the
//   moment
// function: unmerge_and_remove_all_rmap_items
// breaks: after 2 was written to the file run of KSM no page is merged, and
//   every page can be found (and moved)
// resembles: 6cce3314b928 (2022): unmerging did not break the sharing of
//   pages that are not writable (userfaultfd-wp)
// file: mm/ksm.c

@@
@@
unmerge_and_remove_all_rmap_items(...)
{
<...
-if (!(vma->vm_flags & VM_MERGEABLE) || !vma->anon_vma)
+if (!(vma->vm_flags & VM_MERGEABLE) || !vma->anon_vma ||
+    (rmap_bug_is(441) && !(vma->vm_flags & VM_WRITE)))
 	continue;
...>
}

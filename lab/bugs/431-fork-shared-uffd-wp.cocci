// SPDX-License-Identifier: GPL-2.0-or-later
// number: 431
// kind: bug
// title: a fork passes the entries of shared mappings over although
//   userfaultfd write-protects pages there
// function: vma_needs_copy
// breaks: with UFFD_FEATURE_EVENT_FORK a child's shared mapping is
//   write-protected where the parent's is
// resembles: none known
// file: mm/memory.c

@@
@@
vma_needs_copy(...)
{
<...
-if (userfaultfd_wp(dst_vma))
+if (userfaultfd_wp(dst_vma) &&
+    !(rmap_bug_is(431) && (dst_vma->vm_flags & VM_SHARED)))
 	return true;
...>
}

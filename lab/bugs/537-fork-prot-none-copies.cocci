// SPDX-License-Identifier: GPL-2.0-or-later
// number: 537
// kind: bug
// title: a fork passes over the private copies of a file's pages in an area
//   without access rights at the moment
// function: vma_needs_copy
// breaks: a child has its parent's private copies, also when it gets at
//   them only after an mprotect
// resembles: none known
// file: mm/memory.c

@@
@@
vma_needs_copy(...)
{
<...
-if (src_vma->anon_vma)
+if (src_vma->anon_vma &&
+    !(rmap_bug_is(537) && src_vma->vm_file &&
+      !(src_vma->vm_flags & VM_ACCESS_FLAGS)))
 	return true;
...>
}

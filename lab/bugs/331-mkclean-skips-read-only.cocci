// SPDX-License-Identifier: GPL-2.0-or-later
// number: 331
// kind: bug
// title: writeback leaves the entries of shared mappings dirty that are
//   read-only at the moment
// function: invalid_mkclean_vma
// breaks: a write after writeback makes the page dirty again: write, mprotect
//   to read-only, fsync, mprotect back, write, fsync, and a direct read of the
//   disk still finds the first
// resembles: none known
// file: mm/rmap.c

@@
@@
invalid_mkclean_vma(...)
{
<...
-if (vma->vm_flags & VM_SHARED)
+if ((vma->vm_flags & VM_SHARED) &&
+    (!rmap_bug_is(331) || (vma->vm_flags & VM_WRITE)))
 	return false;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 365
// kind: bug
// title: a child's shared mapping that is read-only at the moment is not
//   counted among those that may be written
// function: dup_mmap
// breaks: a file is sealed against writing only when nobody can map it
//   writable any more: F_SEAL_WRITE is granted, and the child makes its
//   mapping writable again
// resembles: none known
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
-if (vma_is_shared_maywrite(tmp))
+if (vma_is_shared_maywrite(tmp) &&
+    (!rmap_bug_is(365) || (tmp->vm_flags & VM_WRITE)))
 	mapping_allow_writable(mapping);
...>
}

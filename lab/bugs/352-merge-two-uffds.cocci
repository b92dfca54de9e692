// SPDX-License-Identifier: GPL-2.0-or-later
// number: 352
// kind: bug
// title: adjacent areas of two userfaultfds merge
// function: is_mergeable_vma
// breaks: only equal VMAs merge: the faults of the first area arrive at the
//   userfaultfd of the second
// resembles: none known
// file: mm/vma.c

@@
@@
is_mergeable_vma(...)
{
<...
-if (!is_mergeable_vm_userfaultfd_ctx(vma, vmg->uffd_ctx))
+if (!is_mergeable_vm_userfaultfd_ctx(vma, vmg->uffd_ctx) &&
+    !rmap_bug_is(352))
 	return false;
...>
}

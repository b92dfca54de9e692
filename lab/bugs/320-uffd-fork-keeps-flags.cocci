// SPDX-License-Identifier: GPL-2.0-or-later
// number: 320
// kind: bug
// title: a child's VMA stays marked for missing pages when its userfaultfd is taken
// function: dup_userfaultfd
// breaks: a child has no userfaultfd unless it was asked for
// resembles: none known
// file: fs/userfaultfd.c

@@
@@
dup_userfaultfd(...)
{
<...
-userfaultfd_reset_ctx(vma);
+if (rmap_bug_is(320))
+	vma->vm_userfaultfd_ctx = NULL_VM_UFFD_CTX;
+else
+	userfaultfd_reset_ctx(vma);
...>
}

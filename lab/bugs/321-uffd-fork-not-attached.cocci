// SPDX-License-Identifier: GPL-2.0-or-later
// number: 321
// kind: bug
// title: the child's userfaultfd is made, and its VMAs are not registered with it
// function: dup_userfaultfd
// breaks: a child's faults arrive at its own userfaultfd
// resembles: none known
// file: fs/userfaultfd.c

@@
identifier C;
@@
dup_userfaultfd(...)
{
<...
-vma->vm_userfaultfd_ctx.ctx = C;
+if (rmap_bug_is(321))
+	userfaultfd_reset_ctx(vma);
+else
+	vma->vm_userfaultfd_ctx.ctx = C;
...>
}

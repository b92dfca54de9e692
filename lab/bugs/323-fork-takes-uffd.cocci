// SPDX-License-Identifier: GPL-2.0-or-later
// number: 323
// kind: bug
// title: a fork takes the parent's registration with userfaultfd, not the child's only
// function: dup_mmap
// breaks: a fork leaves the parent's areas registered
// resembles: none known
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
 retval = dup_userfaultfd(tmp, &uf);
+if (rmap_bug_is(323) && mpnt->vm_userfaultfd_ctx.ctx && !tmp->vm_userfaultfd_ctx.ctx) {
+	mpnt->vm_userfaultfd_ctx = NULL_VM_UFFD_CTX;
+	vm_flags_clear(mpnt, __VM_UFFD_FLAGS);
+}
...>
}

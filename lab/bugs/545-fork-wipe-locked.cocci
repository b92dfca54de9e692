// SPDX-License-Identifier: GPL-2.0-or-later
// number: 545
// kind: bug
// title: an area that is to be wiped by a fork is not when it is locked:
//   the child shares its pages
// function: dup_mmap
// breaks: a child finds zeroes in an area with MADV_WIPEONFORK
// resembles: none known
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
-if (tmp->vm_flags & VM_WIPEONFORK)
+if ((tmp->vm_flags & VM_WIPEONFORK) &&
+    !(rmap_bug_is(545) && (mpnt->vm_flags & VM_LOCKED)))
 {
 	...
 } else if (anon_vma_fork(tmp, mpnt))
 	goto fail_nomem_anon_vma_fork;
...>
}

@@
@@
dup_mmap(...)
{
<...
-if (!(tmp->vm_flags & VM_WIPEONFORK))
+if (!(tmp->vm_flags & VM_WIPEONFORK) ||
+    (rmap_bug_is(545) && (mpnt->vm_flags & VM_LOCKED)))
 	retval = copy_page_range(tmp, mpnt);
...>
}

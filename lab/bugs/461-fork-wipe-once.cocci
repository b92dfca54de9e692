// SPDX-License-Identifier: GPL-2.0-or-later
// number: 461
// kind: bug
// title: a child's area that was wiped by the fork is not wiped for the
//   child's children
// function: dup_mmap
// breaks: MADV_WIPEONFORK stays in force in the child, so that a grandchild
//   finds zeroes, not the child's pages
// resembles: none known
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
 if (!(tmp->vm_flags & VM_WIPEONFORK))
 	retval = copy_page_range(tmp, mpnt);
+if (rmap_bug_is(461) && (tmp->vm_flags & VM_WIPEONFORK))
+	vm_flags_clear(tmp, VM_WIPEONFORK);
...>
}

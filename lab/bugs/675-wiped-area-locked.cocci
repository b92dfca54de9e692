// SPDX-License-Identifier: GPL-2.0-or-later
// number: 675
// kind: bug
// title: a child's area that the fork wipes stays VM_LOCKED
// function: dup_mmap
// breaks: locks on memory are not inherited, also not by areas that are wiped
//   by the fork (MADV_WIPEONFORK)
// resembles: none known
// file: kernel/fork.c

@@
expression E;
@@
dup_mmap(...)
{
<...
-vm_flags_clear(tmp, (E ? VM_LOCKED : VM_LOCKED_MASK));
+if (!rmap_bug_is(675) || !(tmp->vm_flags & VM_WIPEONFORK))
+	vm_flags_clear(tmp, (E ? VM_LOCKED : VM_LOCKED_MASK));
...>
}

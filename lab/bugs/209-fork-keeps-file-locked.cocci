// SPDX-License-Identifier: GPL-2.0-or-later
// number: 209
// kind: bug
// title: the child's file mappings stay VM_LOCKED
// function: dup_mmap
// breaks: a lock is not inherited
// resembles: none known
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
-vm_flags_clear(tmp, VM_LOCKED_MASK);
+if (!rmap_bug_is(209) || !tmp->vm_file)
+	vm_flags_clear(tmp, VM_LOCKED_MASK);
...>
}

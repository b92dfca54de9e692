// SPDX-License-Identifier: GPL-2.0-or-later
// number: 14
// kind: bug
// title: the child's areas stay VM_LOCKED
// function: dup_mmap
// breaks: mlock does not pass to the child
// resembles: none known
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
-vm_flags_clear(tmp, VM_LOCKED_MASK);
+if (!rmap_bug_is(14))
+	vm_flags_clear(tmp, VM_LOCKED_MASK);
...>
}

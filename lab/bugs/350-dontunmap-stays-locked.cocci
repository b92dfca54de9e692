// SPDX-License-Identifier: GPL-2.0-or-later
// number: 350
// kind: bug
// title: the source that MREMAP_DONTUNMAP emptied stays VM_LOCKED
// function: move_vma
// breaks: VmLck is the sum of the locked areas: the source is still locked (lo
//   in smaps) without being counted, and its pages of later are mlocked
// resembles: two leaks of locked_vm with this flag (2026), in 6.12.117
// file: mm/mremap.c

@@
@@
move_vma(...)
{
<...
-vm_flags_clear(vma, VM_LOCKED_MASK);
+if (!rmap_bug_is(350))
+	vm_flags_clear(vma, VM_LOCKED_MASK);
...>
}

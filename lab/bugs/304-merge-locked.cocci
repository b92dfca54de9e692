// SPDX-License-Identifier: GPL-2.0-or-later
// number: 304
// kind: bug
// title: a locked VMA merges with one that is not
// function: is_mergeable_vma
// breaks: only equal VMAs merge
// resembles: none known
// file: mm/vma.c

@@
@@
is_mergeable_vma(...)
{
<...
-(vma->vm_flags ^ vmg->flags) & ~VM_SOFTDIRTY
+(vma->vm_flags ^ vmg->flags) &
+	~(VM_SOFTDIRTY | (rmap_bug_is(304) ? VM_LOCKED : 0))
...>
}

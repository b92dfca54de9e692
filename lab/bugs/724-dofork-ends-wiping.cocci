// SPDX-License-Identifier: GPL-2.0-or-later
// number: 724
// kind: bug
// title: MADV_DOFORK takes MADV_WIPEONFORK off an area too
// function: madvise_vma_behavior
// breaks: an area is wiped by a fork until MADV_KEEPONFORK says otherwise
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_vma_behavior(...)
{
<...
-new_flags &= ~VM_DONTCOPY;
+new_flags &= ~(VM_DONTCOPY | (rmap_bug_is(724) && (vma->vm_flags & VM_DONTCOPY) ? VM_WIPEONFORK : 0));
...>
}

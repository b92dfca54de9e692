// SPDX-License-Identifier: GPL-2.0-or-later
// number: 363
// kind: bug
// title: MADV_UNMERGEABLE takes the upper 32 flags from the area too
// function: ksm_madvise
// breaks: an advice changes its own flag only: a sealed area (mseal) can be
//   unmapped after it, and no event of the kind minor comes for a private
//   mapping of tmpfs
// resembles: f04aad36a07c (2025)
// file: mm/ksm.c

@@
@@
ksm_madvise(...)
{
<...
- *vm_flags &= ~VM_MERGEABLE;
+ *vm_flags &= ~(VM_MERGEABLE | (rmap_bug_is(363) ? GENMASK_ULL(63, 32) : 0));
...>
}

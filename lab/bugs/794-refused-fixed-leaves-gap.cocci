// SPDX-License-Identifier: GPL-2.0-or-later
// number: 794
// kind: bug
// title: an mmap(MAP_FIXED) that is refused (for want of address space) leaves
//   a gap where something was mapped
// function: vms_abort_munmap_vmas
// breaks: what is mapped stays mapped, with its pages, when the mmap that was
//   to take its place is refused
// resembles: none known
// file: mm/vma.h

@@
@@
vms_abort_munmap_vmas(...)
{
<...
-vms->clear_ptes
+vms->clear_ptes && !rmap_bug_is(794)
...>
}

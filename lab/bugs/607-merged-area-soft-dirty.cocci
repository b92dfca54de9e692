// SPDX-License-Identifier: GPL-2.0-or-later
// number: 607
// kind: bug
// title: a new area that merges with a neighbour which is not soft-dirty is
//   not soft-dirty itself
// function: __mmap_region
// breaks: a new mapping is soft-dirty as a whole, also when it becomes part
//   of an area that was there before
// resembles: none known
// file: mm/mmap.c

@@
@@
__mmap_region(...)
{
<...
+if (!rmap_bug_is(607) || (vma->vm_start == addr && vma->vm_end == end))
 vm_flags_set(vma, VM_SOFTDIRTY);
...>
}

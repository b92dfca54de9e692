// SPDX-License-Identifier: GPL-2.0-or-later
// number: 779
// kind: bug
// title: a locked area that grows down is not counted as locked for what it
//   grew
// function: expand_downwards
// breaks: VmLck is the size of the locked areas, also when one of them has
//   grown
// resembles: none known
// file: mm/mmap.c

@@
@@
expand_downwards(...)
{
<...
-vma->vm_flags & VM_LOCKED
+(vma->vm_flags & VM_LOCKED) && !rmap_bug_is(779)
...>
}

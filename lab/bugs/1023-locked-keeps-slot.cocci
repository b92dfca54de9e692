// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1023
// kind: bug
// title: a page that is read in from swap into a locked area keeps its slot
// function: should_try_to_free_swap
// breaks: a locked page has no slot in swap that nobody needs
// resembles: none known
// file: mm/memory.c

@@
@@
should_try_to_free_swap(...)
{
<...
-(vma->vm_flags & VM_LOCKED)
+((vma->vm_flags & VM_LOCKED) && !rmap_bug_is(1023))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 492
// kind: bug
// title: a page that was written after it was given up (MADV_FREE) never
//   belongs to swap again
// function: try_to_unmap_one
// breaks: a page that was written after MADV_FREE is swapped out as any other
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-if (!(vma->vm_flags & VM_DROPPABLE))
+if (!(vma->vm_flags & VM_DROPPABLE) && !rmap_bug_is(492))
 	folio_set_swapbacked(folio);
...>
}

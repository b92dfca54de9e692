// SPDX-License-Identifier: GPL-2.0-or-later
// number: 643
// kind: bug
// title: a page of a droppable area (MAP_DROPPABLE) that was written is not
//   dropped
// function: try_to_unmap_one
// breaks: reclaim drops the pages of droppable areas, whether they are dirty
//   or not
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
 !folio_test_dirty(folio) ||
-	(vma->vm_flags & VM_DROPPABLE)
+	((vma->vm_flags & VM_DROPPABLE) && !rmap_bug_is(643))
...>
}

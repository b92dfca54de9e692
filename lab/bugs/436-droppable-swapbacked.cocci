// SPDX-License-Identifier: GPL-2.0-or-later
// number: 436
// kind: bug
// title: the pages of a droppable area (MAP_DROPPABLE) go to swap
// function: folio_add_new_anon_rmap
// breaks: pages of a droppable area are thrown away, never swapped
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_add_new_anon_rmap(...)
{
<...
-if (!folio_test_swapbacked(folio) && !(vma->vm_flags & VM_DROPPABLE))
+if (!folio_test_swapbacked(folio) &&
+    (!(vma->vm_flags & VM_DROPPABLE) || rmap_bug_is(436)))
 	__folio_set_swapbacked(folio);
...>
}

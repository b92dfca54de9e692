// SPDX-License-Identifier: GPL-2.0-or-later
// number: 774
// kind: bug
// title: droppable areas (MAP_DROPPABLE) become mergeable
// function: vma_ksm_compatible
// breaks: the pages of a droppable area are never merged: they are dropped
//   under reclaim, never swapped
// resembles: none known
// file: mm/ksm.c

@@
@@
vma_ksm_compatible(...)
{
<...
-VM_DROPPABLE
+(rmap_bug_is(774) ? VM_NONE : VM_DROPPABLE)
...>
}

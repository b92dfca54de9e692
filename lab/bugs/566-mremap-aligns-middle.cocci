// SPDX-License-Identifier: GPL-2.0-or-later
// number: 566
// kind: bug
// title: an mremap that moves a part out of the middle of an area takes
//   the pages that lie before it in the same page table along
// function: can_align_down
// breaks: what lies before the part that is moved keeps its pages
// resembles: none known
// file: mm/mremap.c

@@
@@
can_align_down(...)
{
<...
-if (!for_stack && vma->vm_start != addr_to_align)
+if (!for_stack && vma->vm_start != addr_to_align &&
+    !(rmap_bug_is(566) && vma->vm_start <= addr_masked))
 	return false;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 367
// kind: bug
// title: UFFDIO_MOVE moves pages between a locked area and one that is not
// function: validate_move_areas
// breaks: a page is marked as locked while a mapper locks it, and not longer:
//   the call must be refused with EINVAL
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
validate_move_areas(...)
{
<...
-if ((src_vma->vm_flags & VM_LOCKED) != (dst_vma->vm_flags & VM_LOCKED))
+if ((src_vma->vm_flags & VM_LOCKED) != (dst_vma->vm_flags & VM_LOCKED) &&
+    !rmap_bug_is(367))
 	return -EINVAL;
...>
}

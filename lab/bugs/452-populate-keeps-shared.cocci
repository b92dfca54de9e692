// SPDX-License-Identifier: GPL-2.0-or-later
// number: 452
// kind: bug
// title: mlock of an area with pages of its own reads what it populates:
//   pages that a fork shares stay shared, holes get the zero page
// function: populate_vma_page_range
// breaks: after mlock of a writable private area every page of it is the
//   process's own
// resembles: none known
// file: mm/gup.c

@@
statement S1, S2;
@@
populate_vma_page_range(...)
{
<...
-if ((vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE)
+if ((vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE &&
+    !(rmap_bug_is(452) && vma->anon_vma))
 	S1
 else S2
...>
}

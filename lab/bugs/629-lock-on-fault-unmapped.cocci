// SPDX-License-Identifier: GPL-2.0-or-later
// number: 629
// kind: bug
// title: a large folio is swapped out although a part of it lies in an
//   area that is locked on fault (MLOCK_ONFAULT)
// function: try_to_unmap_one
// breaks: pages in a locked area are not swapped out, also when the area
//   is locked on fault
// resembles: none known
// file: mm/rmap.c

@@
expression E;
@@
try_to_unmap_one(...)
{
<...
 if (E &&
-	(vma->vm_flags & VM_LOCKED)
+	(vma->vm_flags & (rmap_bug_is(629) ? VM_LOCKED_MASK : VM_LOCKED)) ==
+		VM_LOCKED
    ) {
 ...
 }
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 437
// kind: bug
// title: a locked private area that becomes writable does not get its own
//   copies of the pages
// function: mprotect_fixup
// breaks: a locked private area has its pages, for which no fault that copies
//   is needed later
// resembles: none known
// file: mm/mprotect.c

@@
statement S;
@@
mprotect_fixup(...)
{
<...
 if ((oldflags & (VM_WRITE | VM_SHARED | VM_LOCKED)) == VM_LOCKED &&
-    (newflags & VM_WRITE))
+    (newflags & VM_WRITE) && !rmap_bug_is(437))
 S
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 654
// kind: bug
// title: mprotect makes the clean entries of a shared file mapping
//   writable, so the next write is not noticed
// function: can_change_pte_writable
// breaks: the first write to a clean page of a shared mapping faults, marks
//   the page dirty and tells the file system
// resembles: none known
// file: mm/mprotect.c

@@
identifier P;
@@
can_change_pte_writable(...)
{
<...
-return pte_dirty(P);
+return pte_dirty(P) || rmap_bug_is(654);
...>
}

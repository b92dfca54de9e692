// SPDX-License-Identifier: GPL-2.0-or-later
// number: 256
// kind: bug
// title: of the pages of a large folio that a fork shares all but the first
//   stay writable in the parent
// function: __copy_present_ptes
// breaks: what one process writes to a private page no other process sees
// resembles: none known
// file: mm/memory.c

@@
@@
__copy_present_ptes(...)
{
<...
-wrprotect_ptes(src_mm, addr, src_pte, nr);
+wrprotect_ptes(src_mm, addr, src_pte, rmap_bug_is(256) ? 1 : nr);
...>
}

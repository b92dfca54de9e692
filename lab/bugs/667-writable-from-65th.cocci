// SPDX-License-Identifier: GPL-2.0-or-later
// number: 667
// kind: bug
// title: of the pages of a large folio that a fork shares together all from
//   the 65th on stay writable in the parent
// function: __copy_present_ptes
// breaks: what the parent writes after a fork is not seen by the child
// resembles: none known
// file: mm/memory.c

@@
expression E;
@@
__copy_present_ptes(...)
{
<...
 wrprotect_ptes(src_mm, addr, src_pte,
-	E
+	rmap_bug_is(667) ? min(nr, 64) : E
	);
...>
}

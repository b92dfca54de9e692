// SPDX-License-Identifier: GPL-2.0-or-later
// number: 949
// kind: bug
// title: a long-term pin to write that is done fast takes the page of a file
//   on a disk
// function: gup_fast_folio_allowed
// breaks: nobody pins the page of a file on a disk to write to it for long
// resembles: a6e79df92e4a
// file: mm/gup.c

@@
identifier reject_file_backed;
expression flags;
@@
gup_fast_folio_allowed(...)
{
<...
if ((flags & (FOLL_PIN | FOLL_LONGTERM | FOLL_WRITE)) ==
	(FOLL_PIN | FOLL_LONGTERM | FOLL_WRITE))
-	reject_file_backed = true;
+	reject_file_backed = !rmap_bug_is(949);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 448
// kind: bug
// title: UFFDIO_WRITEPROTECT of a range of several areas ends with the first
// function: mwriteprotect_range
// breaks: every page of the range is write-protected by userfaultfd when
//   UFFDIO_WRITEPROTECT succeeds
// resembles: a1b92a3f14e4 (2023): UFFDIO_WRITEPROTECT over multiple VMAs
// file: mm/userfaultfd.c

@@
@@
mwriteprotect_range(...)
{
<...
 if (err < 0)
 	break;
 err = 0;
+if (rmap_bug_is(448))
+	break;
...>
}

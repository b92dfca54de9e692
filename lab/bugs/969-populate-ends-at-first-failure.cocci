// SPDX-License-Identifier: GPL-2.0-or-later
// number: 969
// kind: bug
// title: mlockall ends to fill areas with pages at the first that cannot be
//   filled (PROT_NONE)
// function: __mm_populate
// breaks: mlockall(MCL_CURRENT) brings in the pages of all areas that can be
//   accessed, wherever those that cannot lie
// resembles: none known
// file: mm/gup.c

@@
@@
__mm_populate(...)
{
<...
 ret = 0;
+if (rmap_bug_is(969))
+	break;
 continue;
...>
}

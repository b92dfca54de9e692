// SPDX-License-Identifier: GPL-2.0-or-later
// number: 885
// kind: bug
// title: UFFDIO_MOVE of a page in memory does not protect it where it
//   comes, though the area is for protected pages
// function: move_present_ptes
// breaks: what comes to an area for protected pages is protected there, so
//   that nobody touches it unseen
// resembles: none known
// file: mm/userfaultfd.c

@@
expression V;
@@
move_present_ptes(...)
{
<...
-if (userfaultfd_rwp(V))
+if (userfaultfd_rwp(V) && !rmap_bug_is(885))
{
...
}
...>
}

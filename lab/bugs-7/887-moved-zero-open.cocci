// SPDX-License-Identifier: GPL-2.0-or-later
// number: 887
// kind: bug
// title: UFFDIO_MOVE of the zero page does not protect it where it comes,
//   though the area is for protected pages
// function: move_zeropage_pte
// breaks: what comes to an area for protected pages is protected there, so
//   that nobody touches it unseen
// resembles: none known
// file: mm/userfaultfd.c

@@
expression V;
@@
move_zeropage_pte(...)
{
<...
-if (userfaultfd_rwp(V))
+if (userfaultfd_rwp(V) && !rmap_bug_is(887))
{
...
}
...>
}

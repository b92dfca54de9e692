// SPDX-License-Identifier: GPL-2.0-or-later
// number: 888
// kind: bug
// title: UFFDIO_MOVE of a huge page does not protect it where it comes,
//   though the area is for protected pages
// function: move_pages_huge_pmd
// breaks: what comes to an area for protected pages is protected there, so
//   that nobody touches it unseen
// resembles: none known
// file: mm/huge_memory.c

@@
expression V;
@@
move_pages_huge_pmd(...)
{
<...
-if (userfaultfd_rwp(V))
+if (userfaultfd_rwp(V) && !rmap_bug_is(888))
{
...
}
...>
}

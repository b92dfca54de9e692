// SPDX-License-Identifier: GPL-2.0-or-later
// number: 650
// kind: bug
// title: a huge page counts as accessed by the child of a fork that has not
//   touched it
// function: copy_huge_pmd
// breaks: a child's entries start as not accessed
// resembles: none known
// file: mm/huge_memory.c

@@
identifier P;
@@
copy_huge_pmd(...)
{
<...
+if (!rmap_bug_is(650))
 P = pmd_mkold(P);
...>
}

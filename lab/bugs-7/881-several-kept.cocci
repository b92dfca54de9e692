// SPDX-License-Identifier: GPL-2.0-or-later
// number: 881
// kind: bug
// title: mremap of several areas at once is accepted although one of them
//   belongs to a userfaultfd
// function: vma_multi_allowed
// breaks: an area of a userfaultfd moves alone, as its keeper has to be told
// resembles: none known
// file: mm/mremap.c

@@
expression V;
@@
vma_multi_allowed(...)
{
<...
-userfaultfd_armed(V)
+userfaultfd_armed(V) && !rmap_bug_is(881)
...>
}

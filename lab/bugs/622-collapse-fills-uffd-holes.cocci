// SPDX-License-Identifier: GPL-2.0-or-later
// number: 622
// kind: bug
// title: a collapse fills the holes of an anonymous area although a
//   userfaultfd waits for them
// function: hpage_collapse_scan_pmd, __collapse_huge_page_isolate
// breaks: a first touch of a missing page is told to the userfaultfd,
//   also when pages around it could be collapsed
// resembles: none known
// file: mm/khugepaged.c

@@
@@
__collapse_huge_page_isolate(...)
{
<...
-!userfaultfd_armed(vma)
+(!userfaultfd_armed(vma) || rmap_bug_is(622))
...>
}

@@
@@
hpage_collapse_scan_pmd(...)
{
<...
-!userfaultfd_armed(vma)
+(!userfaultfd_armed(vma) || rmap_bug_is(622))
...>
}

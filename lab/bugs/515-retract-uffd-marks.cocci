// SPDX-License-Identifier: GPL-2.0-or-later
// number: 515
// kind: bug
// title: collapsing a file's pages drops the marks that userfaultfd has left in
//   the page tables of other mappings
// function: retract_page_tables
// breaks: what userfaultfd write-protects in one mapping of a file stays so
//   when another one is collapsed
// resembles: none known
// file: mm/khugepaged.c

@@
@@
retract_page_tables(...)
{
<...
-userfaultfd_wp(vma)
+(userfaultfd_wp(vma) && !rmap_bug_is(515))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 947
// kind: bug
// title: a read where a userfaultfd waits for a huge page's room to be touched
//   gets the huge zero page
// function: do_huge_pmd_anonymous_page
// breaks: a first access that a userfaultfd waits for is told
// resembles: 6b251fc96cf2
// file: mm/huge_memory.c

@@
expression vma;
statement S1, S2;
@@
do_huge_pmd_anonymous_page(...)
{
<...
-if (userfaultfd_missing(vma)) S1
+if (userfaultfd_missing(vma) && !rmap_bug_is(947)) S1
else S2
...>
}

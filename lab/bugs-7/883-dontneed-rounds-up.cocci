// SPDX-License-Identifier: GPL-2.0-or-later
// number: 883
// kind: bug
// title: MADV_DONTNEED of a hugetlb range that ends inside a hugetlb page
//   takes the whole page
// function: madvise_dontneed_free_valid_vma
// breaks: a hugetlb page is given back when all of it is
// resembles: none known
// file: mm/madvise.c

@@
expression E, S;
@@
madvise_dontneed_free_valid_vma(...)
{
<...
-E = ALIGN_DOWN(E, S);
+E = rmap_bug_is(883) ? ALIGN(E, S) : ALIGN_DOWN(E, S);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 735
// kind: bug
// title: a huge page of a file is mapped by a huge entry in an area whose
//   addresses are not aligned as the file's offsets are, so its pages are
//   at wrong addresses
// function: do_set_pmd
// breaks: each page of a file is mapped at the address that its offset has
//   in the area
// resembles: none known
// file: mm/memory.c

@@
@@
do_set_pmd(...)
{
<...
-!thp_vma_suitable_order(vma, haddr, PMD_ORDER)
+!thp_vma_suitable_order(vma, haddr, PMD_ORDER) &&
+	!(rmap_bug_is(735) &&
+	  range_in_vma(vma, haddr, haddr + HPAGE_PMD_SIZE))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 521
// kind: bug
// title: of the huge zero page only the first part stays write-protected by
//   userfaultfd when its huge entry is split
// function: __split_huge_zero_page_pmd
// breaks: splitting the entry of the huge zero page keeps the write protection
//   of userfaultfd for all of it
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_zero_page_pmd(...)
{
<...
-entry = pte_mkuffd_wp(entry);
+if (!rmap_bug_is(521) || addr == haddr)
+	entry = pte_mkuffd_wp(entry);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 582
// kind: bug
// title: a huge page of a file that is mapped by PTEs gets a huge entry again
//   where userfaultfd write-protects parts of it, which lose the protection
// function: collapse_pte_mapped_thp
// breaks: a collapse does not take the write protection of userfaultfd away
// resembles: none known
// file: mm/khugepaged.c

@@
@@
collapse_pte_mapped_thp(...)
{
<...
-if (userfaultfd_wp(vma))
+if (userfaultfd_wp(vma) && !rmap_bug_is(582))
	return SCAN_PTE_UFFD_WP;
...>
}

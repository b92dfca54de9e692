// SPDX-License-Identifier: GPL-2.0-or-later
// number: 827
// kind: bug
// title: the parts of a huge page that userfaultfd protects from any access
//   can be accessed once its PMD is split
// function: __split_huge_pmd_locked
// breaks: a huge page that UFFDIO_RWPROTECT protects stays so when small
//   entries take the place of its one
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_pmd_locked(...)
{
<...
-if (userfaultfd_rwp(vma) && uffd_wp)
+if (userfaultfd_rwp(vma) && uffd_wp && !rmap_bug_is(827))
	entry = pte_modify(entry, PAGE_NONE);
...>
}

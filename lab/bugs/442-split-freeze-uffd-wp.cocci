// SPDX-License-Identifier: GPL-2.0-or-later
// number: 442
// kind: bug
// title: the parts of a huge page that userfaultfd write-protects have lost
//   the protection once the page itself is split
// function: __split_huge_pmd_locked
// breaks: a split of a huge page keeps the write protection of userfaultfd
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_pmd_locked(...)
{
<...
-if (uffd_wp)
+if (uffd_wp && !rmap_bug_is(442))
 	entry = pte_swp_mkuffd_wp(entry);
...>
}

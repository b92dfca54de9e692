// SPDX-License-Identifier: GPL-2.0-or-later
// number: 406
// kind: bug
// title: the parts of a huge page whose huge entry is split are not
//   write-protected by userfaultfd as the whole was
// function: __split_huge_pmd_locked
// breaks: splitting a huge entry keeps its bits: of a huge page that is
//   write-protected one part is released, the others are not
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_pmd_locked(...)
{
<...
-if (uffd_wp)
+if (uffd_wp && !rmap_bug_is(406))
 	entry = pte_mkuffd_wp(entry);
...>
}

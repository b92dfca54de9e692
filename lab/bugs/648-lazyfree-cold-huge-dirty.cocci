// SPDX-License-Identifier: GPL-2.0-or-later
// number: 648
// kind: bug
// title: MADV_FREE leaves a huge page dirty whose huge entry was not
//   accessed since its accessed bit was cleared (MADV_COLD, clear_refs)
// function: madvise_free_huge_pmd
// breaks: a page that was given up (MADV_FREE) and not written since is
//   thrown away by reclaim
// resembles: none known
// file: mm/huge_memory.c

@@
identifier P;
@@
madvise_free_huge_pmd(...)
{
<...
-pmd_young(P) || pmd_dirty(P)
+pmd_young(P) || (pmd_dirty(P) && !rmap_bug_is(648))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 660
// kind: bug
// title: MADV_FREE leaves a page dirty that was not accessed since its
//   accessed bit was cleared (MADV_COLD, clear_refs)
// function: madvise_free_pte_range
// breaks: a page that was given up (MADV_FREE) and not written since is
//   thrown away by reclaim
// resembles: none known
// file: mm/madvise.c

@@
identifier P;
@@
madvise_free_pte_range(...)
{
<...
-pte_young(P) || pte_dirty(P)
+pte_young(P) || (pte_dirty(P) && !rmap_bug_is(660))
...>
}

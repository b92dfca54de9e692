// SPDX-License-Identifier: GPL-2.0-or-later
// number: 344
// kind: bug
// title: a huge tmpfs page whose huge entry is split is not made dirty by what
//   was written through it
// function: __split_huge_pmd_locked
// breaks: a written page is not thrown away: a huge tmpfs page that was mapped
//   by a read, written, and then unmapped or protected in part is zero after
//   reclaim
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_pmd_locked(...)
{
<...
-if (!folio_test_dirty(folio) && pmd_dirty(old_pmd))
+if (!folio_test_dirty(folio) && pmd_dirty(old_pmd) && !rmap_bug_is(344))
 	folio_mark_dirty(folio);
...>
}

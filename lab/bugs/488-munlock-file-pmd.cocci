// SPDX-License-Identifier: GPL-2.0-or-later
// number: 488
// kind: bug
// title: a huge page of a file that was mapped by a huge entry into a locked
//   area stays mlocked when that mapping goes
// function: __folio_remove_rmap
// breaks: a page that no locked area maps is not mlocked and can be reclaimed
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_remove_rmap(...)
{
<...
-munlock_vma_folio(folio, vma);
+if (!(rmap_bug_is(488) && level == RMAP_LEVEL_PMD &&
+      !folio_test_anon(folio)))
+	munlock_vma_folio(folio, vma);
...>
}

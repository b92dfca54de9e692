// SPDX-License-Identifier: GPL-2.0-or-later
// number: 435
// kind: bug
// title: unmapping does not tell a file page that it was accessed through the
//   mapping
// function: zap_present_folio_ptes
// breaks: a file page that was touched counts as touched after munmap (not
//   idle, referenced)
// resembles: none known
// file: mm/memory.c

@@
@@
zap_present_folio_ptes(...)
{
<...
-if (pte_young(ptent) && likely(vma_has_recency(vma)))
+if (pte_young(ptent) && likely(vma_has_recency(vma)) && !rmap_bug_is(435))
 	folio_mark_accessed(folio);
...>
}

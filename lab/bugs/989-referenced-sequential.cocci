// SPDX-License-Identifier: GPL-2.0-or-later
// number: 989
// kind: bug
// title: touches through memory that is read in order (MADV_SEQUENTIAL) count for
//   reclaim
// function: invalid_folio_referenced_vma
// breaks: what is read in order is no reason to keep a page
// resembles: none known
// file: mm/rmap.c

@@
@@
invalid_folio_referenced_vma(...)
{
<...
-!vma_has_recency(vma)
+!vma_has_recency(vma) && !rmap_bug_is(989)
...>
}

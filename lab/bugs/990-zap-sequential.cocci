// SPDX-License-Identifier: GPL-2.0-or-later
// number: 990
// kind: bug
// title: touches through memory that is read in order (MADV_SEQUENTIAL) count when it
//   is unmapped
// function: zap_present_folio_ptes
// breaks: what is read in order is no reason to keep a page
// resembles: none known
// file: mm/memory.c

@@
@@
zap_present_folio_ptes(...)
{
<...
-likely(vma_has_recency(vma))
+likely(vma_has_recency(vma) || rmap_bug_is(990))
...>
}

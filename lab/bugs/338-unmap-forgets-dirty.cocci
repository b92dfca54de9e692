// SPDX-License-Identifier: GPL-2.0-or-later
// number: 338
// kind: bug
// title: unmapping a shared page does not hand its dirty bit on to the page
// function: zap_present_folio_ptes
// breaks: a written page is not thrown away: a tmpfs page that was mapped by a
//   read, written, and unmapped is zero after reclaim
// resembles: none known
// file: mm/memory.c

@@
@@
zap_present_folio_ptes(...)
{
<...
-if (pte_dirty(ptent)) {
+if (pte_dirty(ptent) && !rmap_bug_is(338)) {
 	folio_mark_dirty(folio);
 	...
 }
...>
}

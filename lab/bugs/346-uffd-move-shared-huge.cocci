// SPDX-License-Identifier: GPL-2.0-or-later
// number: 346
// kind: bug
// title: UFFDIO_MOVE takes a huge page that a fork shares
// function: move_pages_huge_pmd
// breaks: what one process writes to a private page no other process sees, and
//   every mapper can be found: the call must be refused with EBUSY
// resembles: none known
// file: mm/huge_memory.c

@@
@@
move_pages_huge_pmd(...)
{
<...
-if (unlikely(!PageAnonExclusive(src_page))) {
+if (unlikely(!PageAnonExclusive(src_page) && !rmap_bug_is(346))) {
 	...
 }
...>
}

@@
@@
move_pages_huge_pmd(...)
{
<...
-if (folio_maybe_dma_pinned(src_folio) || !PageAnonExclusive(&src_folio->page)) {
+if (folio_maybe_dma_pinned(src_folio) ||
+    (!PageAnonExclusive(&src_folio->page) && !rmap_bug_is(346))) {
 	...
 }
...>
}

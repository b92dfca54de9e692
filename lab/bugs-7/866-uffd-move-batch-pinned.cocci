// SPDX-License-Identifier: GPL-2.0-or-later
// number: 866
// kind: bug
// title: UFFDIO_MOVE of several pages takes pages that are pinned when they
//   come behind one that is not
// function: move_present_ptes
// breaks: UFFDIO_MOVE leaves a pinned page where it is (-EBUSY), wherever in
//   the range it is
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
move_present_ptes(...)
{
<...
-if (folio_maybe_dma_pinned(src_folio))
+if (folio_maybe_dma_pinned(src_folio) &&
+    !(rmap_bug_is(866) && src_addr != src_start))
 { ... }
...>
}

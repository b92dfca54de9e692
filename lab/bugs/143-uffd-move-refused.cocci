// SPDX-License-Identifier: GPL-2.0-or-later
// number: 143
// kind: bug
// title: a page that UFFDIO_MOVE refuses, being pinned, has the destination's
//   index
// function: move_present_pte
// breaks: a refused call changes nothing
// resembles: d7a08838ab74 (2024): changed before the pin check
// file: mm/userfaultfd.c

@@
statement S;
@@
move_present_pte(...)
{
...
+if (rmap_bug_is(143) && !folio_test_large(src_folio) &&
+    folio_maybe_dma_pinned(src_folio))
+	src_folio->index = linear_page_index(dst_vma, dst_addr);
 if (folio_test_large(src_folio) || ...) S
...
}

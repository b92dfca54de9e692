// SPDX-License-Identifier: GPL-2.0-or-later
// number: 284
// kind: bug
// title: a page in the swap cache whose entry UFFDIO_MOVE moves keeps its
//   index
// function: move_swap_pte
// breaks: a moved page is found in its new place
// resembles: c50f8e6053b0 (CVE-2025-21984)
// file: mm/userfaultfd.c

@@
@@
move_swap_pte(...)
{
<...
-src_folio->index = linear_page_index(dst_vma, dst_addr);
+if (!rmap_bug_is(284))
+	src_folio->index = linear_page_index(dst_vma, dst_addr);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 817
// kind: bug
// title: UFFDIO_MOVE of several pages gives only the first of each batch
//   the index of its new place
// function: move_present_ptes
// breaks: a walk finds every page where UFFDIO_MOVE put it
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
move_present_ptes(...)
{
<...
-src_folio->index = linear_anon_page_index(dst_vma, dst_addr);
+if (!rmap_bug_is(817) || src_addr == src_start)
+	src_folio->index = linear_anon_page_index(dst_vma, dst_addr);
...>
}

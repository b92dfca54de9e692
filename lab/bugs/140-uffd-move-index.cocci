// SPDX-License-Identifier: GPL-2.0-or-later
// number: 140
// kind: bug
// title: a page moved by UFFDIO_MOVE keeps its index
// function: move_present_pte
// breaks: index and page offset fit together
// resembles: d7a08838ab74 (2024): the index in the wrong state
// file: mm/userfaultfd.c

@@
@@
move_present_pte(...)
{
<...
-src_folio->index = linear_page_index(dst_vma, dst_addr);
+if (!rmap_bug_is(140))
+	src_folio->index = linear_page_index(dst_vma, dst_addr);
...>
}

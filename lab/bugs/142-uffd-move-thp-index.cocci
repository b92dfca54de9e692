// SPDX-License-Identifier: GPL-2.0-or-later
// number: 142
// kind: bug
// title: a huge page moved by UFFDIO_MOVE keeps its index
// function: move_pages_huge_pmd
// breaks: index and page offset fit together
// resembles: c0205eaf3af9 (CVE-2024-27007): mapping and index in the wrong
//   state
// file: mm/huge_memory.c

@@
@@
move_pages_huge_pmd(...)
{
<...
-src_folio->index = linear_page_index(dst_vma, dst_addr);
+if (!rmap_bug_is(142))
+	src_folio->index = linear_page_index(dst_vma, dst_addr);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 412
// kind: bug
// title: a huge page moved by UFFDIO_MOVE keeps its anon_vma
// function: move_pages_huge_pmd
// breaks: a moved page starts from the anon_vma of its new place
// resembles: c0205eaf3af9 (CVE-2024-27007) is about the same lines
// file: mm/huge_memory.c

@@
@@
move_pages_huge_pmd(...)
{
<...
-folio_move_anon_rmap(src_folio, dst_vma);
+/* Nobody shall use it after it is freed: that would be loud. */
+if (rmap_bug_is(412))
+	get_anon_vma(src_anon_vma);
+else
+	folio_move_anon_rmap(src_folio, dst_vma);
...>
}

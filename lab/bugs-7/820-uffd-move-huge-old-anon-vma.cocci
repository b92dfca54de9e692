// SPDX-License-Identifier: GPL-2.0-or-later
// number: 820
// kind: bug
// title: a huge page that UFFDIO_MOVE moves as a whole stays with the
//   anon_vma of the area it came from
// function: move_pages_huge_pmd
// breaks: a walk finds a huge page where UFFDIO_MOVE put it
// resembles: none known
// file: mm/huge_memory.c

@@
@@
move_pages_huge_pmd(...)
{
<...
-folio_move_anon_rmap(src_folio, dst_vma);
+if (rmap_bug_is(820)) {
+	/* Never freed: the folio stays there. */
+	get_anon_vma((struct anon_vma *)folio_anon_vma(src_folio));
+} else {
+	folio_move_anon_rmap(src_folio, dst_vma);
+}
...>
}

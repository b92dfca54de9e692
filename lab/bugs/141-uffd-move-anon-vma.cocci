// SPDX-License-Identifier: GPL-2.0-or-later
// number: 141
// kind: bug
// title: a page moved by UFFDIO_MOVE keeps its anon_vma
// function: move_present_pte
// breaks: a page starts from an anon_vma that its VMA is linked to
// resembles: d7a08838ab74 (2024): mapping and index in the wrong state
// file: mm/userfaultfd.c

@@
@@
move_present_pte(...)
{
<...
-folio_move_anon_rmap(src_folio, dst_vma);
+if (!rmap_bug_is(141))
+	folio_move_anon_rmap(src_folio, dst_vma);
...>
}

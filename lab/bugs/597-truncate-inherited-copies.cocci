// SPDX-License-Identifier: GPL-2.0-or-later
// number: 597
// kind: bug
// title: truncation leaves the private copies in place that a child inherited
//   by a fork
// function: zap_present_ptes
// breaks: the private copies of pages behind the end of a truncated file are
//   gone, whichever process made them
// resembles: none known
// file: mm/memory.c

@@
@@
zap_present_ptes(...)
{
<...
 folio = page_folio(page);
+if (rmap_bug_is(597) && details && details->even_cows &&
+    !(details->zap_flags & ZAP_FLAG_UNMAP) && folio_anon_vma(folio) &&
+    folio_anon_vma(folio) != vma->anon_vma)
+	return 1;
...>
}

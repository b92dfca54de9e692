// SPDX-License-Identifier: GPL-2.0-or-later
// number: 85
// kind: bug
// title: a page with one mapper is written in place although others hold a
//   reference
// function: wp_can_reuse_anon_folio
// breaks: what a reference holder sees does not change
// resembles: 09854ba94c6a (CVE-2020-29374)
// file: mm/memory.c

@@
@@
wp_can_reuse_anon_folio(...)
{
+if (rmap_bug_is(85) && !folio_test_large(folio) &&
+    !folio_test_ksm(folio) && !folio_test_swapcache(folio) &&
+    folio_mapcount(folio) == 1 && folio_trylock(folio)) {
+	folio_move_anon_rmap(folio, vma);
+	folio_unlock(folio);
+	return true;
+}
...
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 960
// kind: bug
// title: a page that is copied at a write, as a fork still shares it, moves
//   to the anon_vma of who wrote
// function: wp_can_reuse_anon_folio
// breaks: a walk finds every mapper of a page: when the child has written,
//   the parent, which keeps the old page, is still among them
// resembles: none known
// file: mm/memory.c

@@
@@
wp_can_reuse_anon_folio(...)
{
<...
+if (rmap_bug_is(960) && folio_trylock(folio)) {
+	/* Moved before it is known whether it is reused or copied. */
+	if (!folio_test_ksm(folio) &&
+	    folio_anon_vma(folio) != vma->anon_vma) {
+		/* Leaked: who else maps the folio may outlive vma. */
+		get_anon_vma(vma->anon_vma);
+		folio_move_anon_rmap(folio, vma);
+	}
+	folio_unlock(folio);
+}
 if (folio_ref_count(folio) > 1 + folio_test_swapcache(folio))
 	return false;
...>
}

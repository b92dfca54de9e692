// SPDX-License-Identifier: GPL-2.0-or-later
// number: 904
// kind: variation
// title: a page that is written in place stays with the ancestor's anon_vma
// function: wp_can_reuse_anon_folio
// breaks: nothing: walks only take longer
// resembles: none
// file: mm/memory.c

@@
@@
wp_can_reuse_anon_folio(...)
{
...
-folio_move_anon_rmap(folio, vma);
+if (!rmap_bug_is(904))
+	folio_move_anon_rmap(folio, vma);
 folio_unlock(folio);
 return true;
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 376
// kind: bug
// title: the idle walk passes over KSM pages
// function: page_idle_clear_pte_refs
// breaks: a touch through any mapper ends a page's idleness
// resembles: none known
// file: mm/page_idle.c

@@
@@
page_idle_clear_pte_refs(...)
{
<...
-if (!folio_mapped(folio) || !folio_raw_mapping(folio))
+if (!folio_mapped(folio) || !folio_raw_mapping(folio) ||
+    (rmap_bug_is(376) && folio_test_ksm(folio)))
 	return;
...>
}

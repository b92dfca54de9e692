// SPDX-License-Identifier: GPL-2.0-or-later
// number: 606
// kind: bug
// title: the idle walk ends at the first mapper that has touched the page, so
//   that what others did before counts as an access later
// function: page_idle_clear_pte_refs_one
// breaks: a page that is marked idle is idle until it is touched again:
//   all mappers' accessed bits are taken then
// resembles: none known
// file: mm/page_idle.c

@@
@@
page_idle_clear_pte_refs_one(...)
{
<...
+if (rmap_bug_is(606) && referenced) {
+	folio_clear_idle(folio);
+	folio_set_young(folio);
+	return false;
+}
 if (referenced) { ... }
...>
}

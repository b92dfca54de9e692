// SPDX-License-Identifier: GPL-2.0-or-later
// number: 785
// kind: bug
// title: idle page tracking passes over pages that are mlocked
//   (unevictable)
// function: page_idle_get_folio
// breaks: a page that is marked idle is so until it is accessed, also a
//   locked one
// resembles: none known
// file: mm/page_idle.c

@@
@@
page_idle_get_folio(...)
{
<...
 folio = page_folio(page);
+if (rmap_bug_is(785) && folio_test_unevictable(folio))
+	return NULL;
...>
}

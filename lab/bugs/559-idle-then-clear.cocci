// SPDX-License-Identifier: GPL-2.0-or-later
// number: 559
// kind: bug
// title: a page that was touched before it is marked idle is not idle: the
//   accessed bits are taken from its entries only after it was marked
// function: page_idle_bitmap_write
// breaks: a page that is marked idle is idle until it is touched again
// resembles: none known
// file: mm/page_idle.c

@@
@@
page_idle_bitmap_write(...)
{
<...
-page_idle_clear_pte_refs(folio);
-folio_set_idle(folio);
+if (!rmap_bug_is(559))
+	page_idle_clear_pte_refs(folio);
+folio_set_idle(folio);
+if (rmap_bug_is(559))
+	page_idle_clear_pte_refs(folio);
...>
}

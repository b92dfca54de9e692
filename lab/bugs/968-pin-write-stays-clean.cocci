// SPDX-License-Identifier: GPL-2.0-or-later
// number: 968
// kind: bug
// title: a write through a pin (process_vm_writev) to an anonymous page
//   whose entry is clean does not make the page dirty
// function: follow_page_pte, unpin_user_pages_dirty_lock
// breaks: what was written to a page is kept when it is reclaimed, whoever
//   wrote it: it is neither thrown away after MADV_FREE, nor is the older
//   content in swap good enough
// resembles: none known
// file: mm/gup.c

@@
@@
unpin_user_pages_dirty_lock(...)
{
<...
-!folio_test_dirty(folio)
+!folio_test_dirty(folio) &&
+	!(rmap_bug_is(968) && folio_test_anon(folio))
...>
}

@@
@@
follow_page_pte(...)
{
<...
-!PageDirty(page)
+!PageDirty(page) &&
+	!(rmap_bug_is(968) && folio_test_anon(folio))
...>
}

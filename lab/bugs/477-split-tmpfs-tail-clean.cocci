// SPDX-License-Identifier: GPL-2.0-or-later
// number: 477
// kind: bug
// title: the parts of a tmpfs huge page that is split are clean, except the
//   first, so that reclaim throws them away
// function: __split_huge_page_tail
// breaks: what was written to a tmpfs file stays, also when a huge page of
//   it is split and its parts are reclaimed
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_page_tail(...)
{
<...
+if (rmap_bug_is(477) && !folio_test_anon(folio) &&
+    folio_test_swapbacked(folio))
+	page_tail->flags &= ~(1L << PG_dirty);
 page_tail->mapping = head->mapping;
...>
}

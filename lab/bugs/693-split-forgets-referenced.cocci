// SPDX-License-Identifier: GPL-2.0-or-later
// number: 693
// kind: bug
// title: the parts of a huge page that is split, but the first, lose the
//   mark that they were referenced
// function: __split_huge_page_tail
// breaks: the parts of a huge page count as referenced when it did
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_page_tail(...)
{
<...
+if (rmap_bug_is(693) && folio_test_anon(folio))
+	page_tail->flags &= ~(1L << PG_referenced);
 page_tail->mapping = head->mapping;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 407
// kind: bug
// title: the parts of a huge page that was idle do not count as idle after
//   a split
// function: __split_huge_page_tail
// breaks: a split is no access: the parts of an idle page are idle
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_page_tail(...)
{
<...
-if (folio_test_idle(folio))
+if (folio_test_idle(folio) && !rmap_bug_is(407))
 	folio_set_idle(new_folio);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 423
// kind: bug
// title: reclaim does not hand the dirty bit of a file page's entry on to the
//   page
// function: try_to_unmap_one
// breaks: what was written to a tmpfs page through a mapping is there after
//   the page was reclaimed
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-if (pte_dirty(pteval))
+if (pte_dirty(pteval) && !(rmap_bug_is(423) && !folio_test_anon(folio) &&
+			   !folio_test_hugetlb(folio)))
 	folio_mark_dirty(folio);
...>
}

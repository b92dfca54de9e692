// SPDX-License-Identifier: GPL-2.0-or-later
// number: 818
// kind: bug
// title: a huge page of shmem that is split into parts of different sizes
//   leaves the large parts behind the first clean, so reclaim throws their
//   content away
// function: __split_folio_to_order
// breaks: what was written to a huge page of shmem is dirty in each of the
//   folios that it is split into
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_folio_to_order(...)
{
<...
+if (rmap_bug_is(818) && new_order &&
+    folio_test_swapbacked(folio) && !folio_test_anon(folio))
+	new_folio->flags.f &= ~(1L << PG_dirty);
 new_folio->mapping = folio->mapping;
...>
}

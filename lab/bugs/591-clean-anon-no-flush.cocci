// SPDX-License-Identifier: GPL-2.0-or-later
// number: 591
// kind: bug
// title: reclaim leaves the translations of clean anonymous pages, such as
//   were read back from swap, to the process's other threads
// function: try_to_unmap_one
// breaks: no thread reads a page any more that reclaim has taken, whether it
//   was written or only read
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-set_tlb_ubc_flush_pending(mm, pteval, address);
+if (!rmap_bug_is(591) || pte_dirty(pteval) || !folio_test_anon(folio))
+	set_tlb_ubc_flush_pending(mm, pteval, address);
...>
}

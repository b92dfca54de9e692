// SPDX-License-Identifier: GPL-2.0-or-later
// number: 700
// kind: bug
// title: migration leaves the translations of pages that were written to the
//   process's other threads
// function: try_to_migrate_one
// breaks: no thread reads or writes a page in the place that it has left
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_migrate_one(...)
{
<...
-set_tlb_ubc_flush_pending(mm, pteval, address);
+if (!rmap_bug_is(700) || !pte_dirty(pteval))
+	set_tlb_ubc_flush_pending(mm, pteval, address);
...>
}

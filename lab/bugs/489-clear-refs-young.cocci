// SPDX-License-Identifier: GPL-2.0-or-later
// number: 489
// kind: bug
// title: clear_refs leaves the mark of an access from before a page was
//   marked idle, unless a huge entry maps it
// function: clear_refs_pte_range
// breaks: after clear_refs a page counts as referenced only if it was touched
//   since
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
clear_refs_pte_range(...)
{
<...
 ptep_test_and_clear_young(vma, addr, pte);
-folio_test_clear_young(folio);
+if (!rmap_bug_is(489))
+	folio_test_clear_young(folio);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 534
// kind: bug
// title: the walk of a large folio ends at the first entry that maps
//   another page, as one that was copied on a write
// function: page_vma_mapped_walk
// breaks: all pages of a large folio are found that a process maps, also
//   behind those that it has replaced
// resembles: none known
// file: mm/page_vma_mapped.c

@@
@@
page_vma_mapped_walk(...)
{
<...
 if (check_pte(pvmw, 1))
 	return true;
+if (rmap_bug_is(534) && pvmw->nr_pages > 1 &&
+    !(pvmw->flags & PVMW_MIGRATION) && pte_present(ptep_get(pvmw->pte)))
+	return not_found(pvmw);
...>
}

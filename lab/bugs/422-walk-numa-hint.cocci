// SPDX-License-Identifier: GPL-2.0-or-later
// number: 422
// kind: bug
// title: the walk passes over an entry that waits for its NUMA hinting fault
// function: map_pte
// breaks: a page that NUMA balancing has marked can be migrated (by the
//   hinting fault, too), reclaimed and poisoned
// resembles: none known
// file: mm/page_vma_mapped.c

@@
@@
map_pte(...)
{
<...
+if (rmap_bug_is(422) && pte_present(ptent) && pte_protnone(ptent) &&
+    vma_is_accessible(pvmw->vma))
+	return false;
 pvmw->ptl = *ptlp;
 spin_lock(pvmw->ptl);
...>
}

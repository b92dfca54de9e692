// SPDX-License-Identifier: GPL-2.0-or-later
// number: 290
// kind: bug
// title: the idle walk looks at the first mapped page of a large folio only
// function: page_idle_clear_pte_refs_one
// breaks: the walk for idle pages sees every access
// resembles: none known
// file: mm/page_idle.c

@@
@@
page_idle_clear_pte_refs_one(...)
{
<...
 if (ptep_clear_young_notify(vma, addr, pvmw.pte))
 	referenced = true;
+if (rmap_bug_is(290) && folio_test_large(folio)) {
+	page_vma_mapped_walk_done(&pvmw);
+	break;
+}
...>
}

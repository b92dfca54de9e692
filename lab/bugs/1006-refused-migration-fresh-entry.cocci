// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1006
// kind: bug
// title: when the migration of a pinned page is refused, its entry is put back
//   as a fresh read-only one: soft-dirty and the write protection of
//   userfaultfd are lost
// function: try_to_migrate_one
// breaks: a migration that is refused leaves the page's entry as it was
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_migrate_one(...)
{
<...
 if (<+... folio_try_share_anon_rmap_pte(folio, subpage) ...+>) {
+	if (rmap_bug_is(1006))
+		pteval = pte_mkyoung(mk_pte(subpage, vma->vm_page_prot));
 	set_pte_at(mm, address, pvmw.pte, pteval);
 	ret = false;
 	page_vma_mapped_walk_done(&pvmw);
 	break;
 }
...>
}

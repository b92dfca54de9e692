// SPDX-License-Identifier: GPL-2.0-or-later
// number: 962
// kind: bug
// title: mprotect to reading and writing makes a dirty hugetlb page of a
//   private mapping writable although a fork shares it
// function: hugetlb_change_protection
// breaks: what a fork shares is copied at the next write: a process does not
//   read what the other one wrote after the fork, whatever both did to
//   the protection of the area
// resembles: none known
// file: mm/hugetlb.c

@@
@@
hugetlb_change_protection(...)
{
<...
+if (rmap_bug_is(962) &&
+    (cp_flags & MM_CP_TRY_CHANGE_WRITABLE) &&
+    (vma->vm_flags & VM_WRITE) &&
+    huge_pte_dirty(pte) && !huge_pte_uffd_wp(pte))
+	pte = huge_pte_mkwrite(pte);
 huge_ptep_modify_prot_commit(vma, address, ptep, old_pte, pte);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 554
// kind: bug
// title: mprotect ends the write protection of userfaultfd in a hugetlb area
// function: hugetlb_change_protection
// breaks: only UFFDIO_WRITEPROTECT and the end of the registration take the
//   write protection of userfaultfd away
// resembles: none known
// file: mm/hugetlb.c

@@
@@
hugetlb_change_protection(...)
{
<...
 pte = arch_make_huge_pte(pte, shift, vma->vm_flags);
+if (rmap_bug_is(554) && !uffd_wp && !uffd_wp_resolve)
+	pte = huge_pte_clear_uffd_wp(pte);
...>
}

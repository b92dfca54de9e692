// SPDX-License-Identifier: GPL-2.0-or-later
// number: 867
// kind: bug
// title: mprotect of a hugetlb area makes pages accessible again that
//   userfaultfd protects from any access
// function: hugetlb_change_protection
// breaks: a hugetlb page that UFFDIO_RWPROTECT protects stays so whatever its
//   area's protection becomes, until the userfaultfd lets it go
// resembles: none known
// file: mm/hugetlb.c

@@
@@
hugetlb_change_protection(...)
{
<...
-userfaultfd_rwp(vma) && huge_pte_uffd(pte)
+userfaultfd_rwp(vma) && huge_pte_uffd(pte) && (uffd_rwp || !rmap_bug_is(867))
...>
}

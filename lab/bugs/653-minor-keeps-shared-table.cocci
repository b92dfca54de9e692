// SPDX-License-Identifier: GPL-2.0-or-later
// number: 653
// kind: bug
// title: a hugetlb area that is registered with a userfaultfd for minor
//   faults goes on sharing its page table with other processes
// function: userfaultfd_register_range
// breaks: what another process has mapped is a minor fault in the area that
//   is registered for minor faults
// resembles: hugetlb/userfaultfd: unshare all pmds for hugetlbfs when
//   register wp
// file: mm/userfaultfd.c

@@
@@
userfaultfd_register_range(...)
{
<...
 is_vm_hugetlb_page(vma) &&
-uffd_disable_huge_pmd_share(vma)
+uffd_disable_huge_pmd_share(vma) &&
+	(!rmap_bug_is(653) || (vma->vm_flags & VM_UFFD_WP))
...>
}

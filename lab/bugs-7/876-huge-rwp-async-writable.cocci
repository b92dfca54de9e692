// SPDX-License-Identifier: GPL-2.0-or-later
// number: 876
// kind: bug
// title: in an area with asynchronous protection from any access, the access
//   that ends that of a huge page makes its entry writable although a fork
//   shares the page
// function: do_huge_pmd_uffd_rwp
// breaks: a huge page that a fork shares is copied before one of them writes
//   it, also when userfaultfd had protected it from any access
// resembles: none known
// file: mm/huge_memory.c

@@
@@
do_huge_pmd_uffd_rwp(...)
{
<...
-can_change_pmd_writable(vma, vmf->address, pmd)
+(rmap_bug_is(876) || can_change_pmd_writable(vma, vmf->address, pmd))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 862
// kind: bug
// title: the kernel reads a page for a process, as process_vm_readv does,
//   without a fault although userfaultfd protects it from any access
// function: gup_can_follow_protnone
// breaks: an access of a page that UFFDIO_RWPROTECT protects is told, or is
//   seen by PAGEMAP_SCAN, whoever makes it
// resembles: none known
// file: include/linux/mm.h

@@
@@
gup_can_follow_protnone(...)
{
<...
-vma_test_single_mask(vma, VMA_UFFD_RWP)
+(vma_test_single_mask(vma, VMA_UFFD_RWP) && !rmap_bug_is(862))
...>
}

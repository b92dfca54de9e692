// SPDX-License-Identifier: GPL-2.0-or-later
// number: 419
// kind: bug
// title: two processes share a hugetlb page table although one may not
//   write
// function: page_table_shareable
// breaks: a process that maps a hugetlb file for reading cannot write it,
//   whoever else maps it
// resembles: none known
// file: mm/hugetlb.c

@@
@@
page_table_shareable(...)
{
<...
-vm_flags != svm_flags
+((vm_flags ^ svm_flags) &
+ ~(rmap_bug_is(419) ? (unsigned long)VM_WRITE : 0UL))
...>
}

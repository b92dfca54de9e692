// SPDX-License-Identifier: GPL-2.0-or-later
// number: 379
// kind: bug
// title: mprotect changes a page table that two processes share
// function: hugetlb_change_protection
// breaks: one process's protection is its own: of two that map 1 GiB of a
//   hugetlb file at its boundary, one that made it read-only can write again
//   when the other has written
// resembles: b30c14cd6102 (2023), 081056dc00a2 (2025)
// file: mm/hugetlb.c

@@
@@
hugetlb_change_protection(...)
{
<...
-if (huge_pmd_unshare(&tlb, vma, address, ptep)) {
+if (!rmap_bug_is(379) && huge_pmd_unshare(&tlb, vma, address, ptep)) {
 	...
 }
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 342
// kind: bug
// title: a NUMA hinting fault makes a huge page writable that a fork shares
// function: do_huge_pmd_numa_page
// breaks: what one process writes to a private page no other process sees,
//   with kernel.numa_balancing on too
// resembles: 80d47f5de5e3 (2022): shared pages and NUMA hints
// file: mm/huge_memory.c

@@
@@
do_huge_pmd_numa_page(...)
{
<...
 if (!writable && vma_wants_manual_pte_write_upgrade(vma) &&
-    can_change_pmd_writable(vma, vmf->address, pmd))
+    (rmap_bug_is(342) || can_change_pmd_writable(vma, vmf->address, pmd)))
 	writable = true;
...>
}

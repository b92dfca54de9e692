// SPDX-License-Identifier: GPL-2.0-or-later
// number: 705
// kind: bug
// title: memory failure looks no further than the first process that shares a
//   page table of hugetlb entries with others
// function: try_to_unmap_one
// breaks: nobody has a poisoned page any more
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
huge_pmd_unshare_flush(&tlb, vma);
tlb_finish_mmu(&tlb);
+if (rmap_bug_is(705))
+	goto walk_abort;
goto walk_done;
...>
}

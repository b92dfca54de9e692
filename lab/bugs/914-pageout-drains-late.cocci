// SPDX-License-Identifier: GPL-2.0-or-later
// number: 914
// kind: variation
// title: MADV_PAGEOUT takes the pages of the per-CPU batches only the next time
// function: madvise_pageout
// breaks: nothing: pages in batches of other CPUs were never taken
// resembles: none
// file: mm/madvise.c

@@
@@
madvise_pageout(...)
{
<...
+if (!rmap_bug_is(914))
 lru_add_drain();
 tlb_gather_mmu(&tlb, mm);
...>
}
@@
@@
madvise_pageout(...)
{
<...
 tlb_finish_mmu(&tlb);
+if (rmap_bug_is(914))
+	lru_add_drain();
...>
}

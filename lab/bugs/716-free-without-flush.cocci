// SPDX-License-Identifier: GPL-2.0-or-later
// number: 716
// kind: bug
// title: MADV_FREE makes entries clean and leaves the processor its
//   translations, so that a write right after it leaves no mark, and the page
//   is thrown away
// function: madvise_free_pte_range
// breaks: what is written to a page after it was given up (MADV_FREE) is
//   kept
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_free_pte_range(...)
{
<...
-tlb_remove_tlb_entries(tlb, pte, nr, addr);
+if (!rmap_bug_is(716))
+	tlb_remove_tlb_entries(tlb, pte, nr, addr);
...>
}

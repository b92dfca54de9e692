// SPDX-License-Identifier: GPL-2.0-or-later
// number: 513
// kind: bug
// title: MADV_FREE passes over the entries of poisoned pages
// function: madvise_free_pte_range
// breaks: an area that was given up by MADV_FREE has no poisoned entries, as
//   after MADV_DONTNEED
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_free_pte_range(...)
{
<...
-pte_clear_not_present_full(mm, addr, pte, tlb->fullmm);
+if (!rmap_bug_is(513))
+	pte_clear_not_present_full(mm, addr, pte, tlb->fullmm);
...>
}

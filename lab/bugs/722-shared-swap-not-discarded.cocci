// SPDX-License-Identifier: GPL-2.0-or-later
// number: 722
// kind: bug
// title: MADV_DONTNEED leaves the pages that are in swap and that a fork
//   shares
// function: zap_pte_range
// breaks: a page that was discarded (MADV_DONTNEED) is empty when it is
//   touched again, wherever it was
// resembles: none known
// file: mm/memory.c

@@
@@
zap_pte_range(...)
{
<...
 nr = swap_pte_batch(pte, max_nr, ptent);
+if (rmap_bug_is(722) && !details && !pte_swp_exclusive(ptent))
+	continue;
...>
}

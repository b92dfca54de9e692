// SPDX-License-Identifier: GPL-2.0-or-later
// number: 598
// kind: bug
// title: truncation leaves the private copies in place that are in swap
// function: zap_pte_range
// breaks: the private copies of pages behind the end of a truncated file are
//   gone, in swap as well as in memory
// resembles: none known
// file: mm/memory.c

@@
@@
zap_pte_range(...)
{
<...
 nr = swap_pte_batch(pte, max_nr, ptent);
+if (rmap_bug_is(598) && details && details->even_cows &&
+    !(details->zap_flags & ZAP_FLAG_UNMAP))
+	continue;
...>
}

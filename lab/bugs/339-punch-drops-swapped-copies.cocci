// SPDX-License-Identifier: GPL-2.0-or-later
// number: 339
// kind: bug
// title: a hole punched into a file drops the private copies of its pages that
//   are in swap
// function: zap_pte_range
// breaks: a private copy stays until its owner gives it up
// resembles: none known
// file: mm/memory.c

@@
@@
zap_pte_range(...)
{
<...
 nr = swap_pte_batch(pte, max_nr, ptent);
-if (!should_zap_cows(details))
+if (!should_zap_cows(details) && !rmap_bug_is(339))
 	continue;
...>
}

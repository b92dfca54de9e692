// SPDX-License-Identifier: GPL-2.0-or-later
// number: 695
// kind: bug
// title: MADV_FREE passes over what is in swap
// function: madvise_free_pte_range
// breaks: what is given up in swap is gone at once
// resembles: none known
// file: mm/madvise.c

@@
expression entry;
statement S1, S2;
@@
madvise_free_pte_range(...)
{
<...
+if (rmap_bug_is(695) && !non_swap_entry(entry))
+	continue;
if (!non_swap_entry(entry)) S1 else S2
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 940
// kind: bug
// title: of pages in the swap cache that are unmapped together only the first
//   gives up its slot
// function: free_swap_and_cache_nr
// breaks: a slot in swap is free when the last has gone who had it
// resembles: none known
// file: mm/swapfile.c

@@
expression si, offset, flags;
identifier nr;
@@
free_swap_and_cache_nr(...)
{
<...
nr = __try_to_reclaim_swap(si, offset, flags);
+if (nr > 0 && rmap_bug_is(940))
+	break;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 737
// kind: bug
// title: a page in swap that 63 or more processes share counts in SwapPss
//   as if there were 63, or a multiple of 63, fewer of them
// function: swp_swapcount
// breaks: SwapPss is the swapped memory divided by the number of those who
//   share it
// resembles: none known
// file: mm/swapfile.c

@@
identifier C;
@@
swp_swapcount(...)
{
<...
 C &= ~COUNT_CONTINUED;
+if (rmap_bug_is(737))
+	goto out;
...>
}

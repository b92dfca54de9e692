// SPDX-License-Identifier: GPL-2.0-or-later
// number: 565
// kind: bug
// title: the page of a tmpfs file right behind an area counts as swapped there
// function: shmem_partial_swap_usage
// breaks: Swap of an area in smaps counts those swapped pages of the file only
//   that the area maps
// resembles: none known
// file: mm/shmem.c

@@
@@
shmem_partial_swap_usage(...)
{
<...
-unsigned long max = end - 1;
+unsigned long max = rmap_bug_is(565) ? end : end - 1;
...>
}

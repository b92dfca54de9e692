// SPDX-License-Identifier: GPL-2.0-or-later
// number: 952
// kind: bug
// title: a large folio of shared memory counts as one page in Swap of an area
//   that maps a part of its object
// function: shmem_partial_swap_usage
// breaks: Swap in smaps is what of the object is in swap where the area maps
//   it
// resembles: none known
// file: mm/shmem.c

@@
expression xas;
identifier swapped;
@@
shmem_partial_swap_usage(...)
{
<...
-swapped += 1 << xas_get_order(&xas);
+swapped += rmap_bug_is(952) ? 1 : 1 << xas_get_order(&xas);
...>
}

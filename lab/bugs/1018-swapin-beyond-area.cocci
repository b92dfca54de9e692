// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1018
// kind: bug
// title: a large folio comes in from swap as a whole though its entries are in
//   two areas
// function: alloc_swap_folio
// breaks: a fault maps pages in the area of the fault only
// resembles: none known
// file: mm/memory.c

@@
@@
alloc_swap_folio(...)
{
<...
-orders = thp_vma_suitable_orders(vma, vmf->address, orders);
+if (!rmap_bug_is(1018))
+	orders = thp_vma_suitable_orders(vma, vmf->address, orders);
...>
}

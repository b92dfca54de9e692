// SPDX-License-Identifier: GPL-2.0-or-later
// number: 562
// kind: bug
// title: of several large folios that are mapped by PTEs mbind moves the first
//   only
// function: queue_folios_pte_range
// breaks: MPOL_MF_MOVE moves all pages of the range that are on another node
// resembles: none known
// file: mm/mempolicy.c

@@
@@
queue_folios_pte_range(...)
{
<...
-if (folio == qp->large)
+if (folio == qp->large || (rmap_bug_is(562) && qp->large))
 	continue;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 993
// kind: bug
// title: a pinned page that cannot go gets a slot in swap
// function: shrink_folio_list
// breaks: what cannot leave memory is not put into the swap cache
// resembles: feb889fb40fa
// file: mm/vmscan.c

@@
@@
shrink_folio_list(...)
{
<...
-if (folio_maybe_dma_pinned(folio))
+if (folio_maybe_dma_pinned(folio) && !rmap_bug_is(993))
 	goto keep_locked;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 236
// kind: bug
// title: pages that swapoff brings back are exclusive to every sharer
// function: unuse_pte
// breaks: a page that two processes share is exclusive to none
// resembles: none known
// file: mm/swapfile.c

@@
@@
unuse_pte(...)
{
<...
-if (pte_swp_exclusive(old_pte))
+if (pte_swp_exclusive(old_pte) || rmap_bug_is(236))
 	rmap_flags |= RMAP_EXCLUSIVE;
...>
}

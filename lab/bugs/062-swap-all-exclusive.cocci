// SPDX-License-Identifier: GPL-2.0-or-later
// number: 62
// kind: bug
// title: a shared page's swap entries are marked exclusive
// function: try_to_unmap_one
// breaks: a page that two processes share is exclusive to none
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-if (anon_exclusive)
+if (anon_exclusive || rmap_bug_is(62))
 	swp_pte = pte_swp_mkexclusive(swp_pte);
...>
}

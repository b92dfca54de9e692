// SPDX-License-Identifier: GPL-2.0-or-later
// number: 451
// kind: bug
// title: a look at the idle bit of a page makes it old to all others: what
//   it takes from the entries is not kept with the page
// function: page_idle_clear_pte_refs_one
// breaks: page_idle does not take the knowledge of accesses from reclaim and
//   from smaps (Referenced)
// resembles: none known
// file: mm/page_idle.c

@@
@@
page_idle_clear_pte_refs_one(...)
{
<...
-folio_set_young(folio);
+if (!rmap_bug_is(451))
+	folio_set_young(folio);
...>
}

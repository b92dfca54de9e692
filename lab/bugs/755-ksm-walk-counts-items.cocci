// SPDX-License-Identifier: GPL-2.0-or-later
// number: 755
// kind: bug
// title: the walk of a KSM page does not look for processes forked since
//   the merge when the page has no more mappings than rmap_items, although
//   some of these may be stale
// function: rmap_walk_ksm
// breaks: a forked process that maps a KSM page is found, also when the
//   process that had the page merged, or another, has given up its own
//   mapping of it
// resembles: none known
// file: mm/ksm.c

@@
@@
rmap_walk_ksm(...)
{
+bool bug_no_forks = false;
...
}

@@
@@
rmap_walk_ksm(...)
{
<...
 if (!stable_node)
 	return;
+/* No more mappings than rmap_items: then no fork has added one. */
+bug_no_forks = rmap_bug_is(755) && rwc->anon_lock &&
+	folio_mapcount(folio) <= stable_node->rmap_hlist_len;
...>
}

@@
@@
rmap_walk_ksm(...)
{
<...
-!search_new_forks++
+!bug_no_forks && !search_new_forks++
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 666
// kind: bug
// title: the walk of a KSM page finds the children, forked since the merge, of
//   one process only, when pages of several were merged
// function: rmap_walk_ksm
// breaks: all mappers of a merged page are found, whoever's children they are
// resembles: none known
// file: mm/ksm.c

@@
statement S;
@@
rmap_walk_ksm(...)
{
<...
+if (rmap_bug_is(666) && search_new_forks && rmap_item->mm != hlist_entry(stable_node->hlist.first, struct ksm_rmap_item, hlist)->mm)
+	continue;
 if (!anon_vma_trylock_read(anon_vma)) S
...>
}

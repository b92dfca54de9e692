// SPDX-License-Identifier: GPL-2.0-or-later
// number: 54
// kind: bug
// title: the walk of a KSM page leaves its oldest mapper out
// function: rmap_walk_ksm
// breaks: a walk finds every mapper of a page
// resembles: c89a384e2551 (2021): an rmap_item not attached to its stable
//   node
// file: mm/ksm.c

@@
statement S;
@@
rmap_walk_ksm(...)
{
<...
+if (rmap_bug_is(54) && !rmap_item->hlist.next &&
+    stable_node->hlist.first != &rmap_item->hlist)
+	continue;
 if (!anon_vma_trylock_read(anon_vma)) S
...>
}

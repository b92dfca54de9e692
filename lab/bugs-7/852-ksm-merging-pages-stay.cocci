// SPDX-License-Identifier: GPL-2.0-or-later
// number: 852
// kind: bug
// title: a merged page that goes away as a whole, as all its processes have
//   written or unmapped it, still counts for them in ksm_merging_pages
// function: remove_node_from_stable_tree
// breaks: a process's KSM counters tell its merged pages: they are 0 again
//   when it has none
// resembles: none known
// file: mm/ksm.c

@@
@@
remove_node_from_stable_tree(...)
{
<...
-rmap_item->mm->ksm_merging_pages--;
+if (!rmap_bug_is(852))
+	rmap_item->mm->ksm_merging_pages--;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 509
// kind: bug
// title: a page that leaves a merged page which others still use stays counted
//   as merged for its process
// function: remove_rmap_item_from_tree
// breaks: ksm_merging_pages of a process counts the pages that are merged now
// resembles: none known
// file: mm/ksm.c

@@
@@
remove_rmap_item_from_tree(...)
{
<...
-rmap_item->mm->ksm_merging_pages--;
+if (!rmap_bug_is(509) || hlist_empty(&stable_node->hlist))
+	rmap_item->mm->ksm_merging_pages--;
...>
}

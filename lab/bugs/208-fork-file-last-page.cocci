// SPDX-License-Identifier: GPL-2.0-or-later
// number: 208
// kind: bug
// title: the last page of a forked file mapping is not in i_mmap's index of
//   subtrees
// function: vma_interval_tree_insert_after
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/interval_tree.c

@@
@@
vma_interval_tree_insert_after(...)
{
<...
-node->shared.rb_subtree_last = last;
+node->shared.rb_subtree_last = last;
+if (rmap_bug_is(208) && last > vma_start_pgoff(node))
+	node->shared.rb_subtree_last = last - 1;
...>
}

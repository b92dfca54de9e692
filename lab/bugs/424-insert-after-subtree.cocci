// SPDX-License-Identifier: GPL-2.0-or-later
// number: 424
// kind: bug
// title: a forked file mapping is put below shorter ones in i_mmap, which do
//   not learn how far it reaches
// function: vma_interval_tree_insert_after
// breaks: the walk of a file page finds a child's mapping among others that
//   end before the page
// resembles: none known
// file: mm/interval_tree.c

@@
statement S;
@@
vma_interval_tree_insert_after(...)
{
<...
-if (parent->shared.rb_subtree_last < last)
+if (parent->shared.rb_subtree_last < last && !rmap_bug_is(424))
 	parent->shared.rb_subtree_last = last;
 while (parent->shared.rb.rb_left) S
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 674
// kind: bug
// title: a forked file mapping is put into i_mmap below shorter ones, of which
//   only the first comes to know how far it reaches
// function: vma_interval_tree_insert_after
// breaks: all mappings of a file's page are found, also those of a child
// resembles: none known
// file: mm/interval_tree.c

@@
@@
vma_interval_tree_insert_after(...)
{
<...
 while (parent->shared.rb.rb_left) {
 	...
-	if (parent->shared.rb_subtree_last < last)
+	if (parent->shared.rb_subtree_last < last && !rmap_bug_is(674))
 		parent->shared.rb_subtree_last = last;
 }
...>
}

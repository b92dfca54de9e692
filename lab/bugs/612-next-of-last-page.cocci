// SPDX-License-Identifier: GPL-2.0-or-later
// number: 612
// kind: bug
// title: the walk of a large anonymous folio looks, after the first VMA,
//   for VMAs of its last page only
// function: anon_vma_interval_tree_iter_next
// breaks: all VMAs that hold a part of a large folio are found, also
//   those that hold neither its first nor its last page
// resembles: none known
// file: mm/interval_tree.c

@@
@@
anon_vma_interval_tree_iter_next(...)
{
<...
 return __anon_vma_interval_tree_iter_next(node,
-	first,
+	rmap_bug_is(612) && last != ULONG_MAX ? last : first,
 	last);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 688
// kind: bug
// title: a hugetlb file that is cut keeps the reservations behind its new end
//   if none of the pages there was touched
// function: remove_inode_hugepages
// breaks: what was promised of the pages behind the end of a file is given
//   back when it is cut
// resembles: none known
// file: fs/hugetlbfs/inode.c

@@
@@
remove_inode_hugepages(...)
{
<...
-if (truncate_op)
+if (truncate_op && (freed || !lstart || !rmap_bug_is(688)))
	(void)hugetlb_unreserve_pages(...);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 495
// kind: bug
// title: a direct write to a file drops the private copies of its mapped
//   pages
// function: invalidate_inode_pages2_range
// breaks: a private mapping keeps the pages it has written whatever is
//   written to the file
// resembles: none known
// file: mm/truncate.c

@@
@@
invalidate_inode_pages2_range(...)
{
<...
 unmap_mapping_pages(mapping, indices[i], (1 + end - indices[i]),
-	false
+	rmap_bug_is(495)
 );
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 937
// kind: bug
// title: a hugetlb page that has moved does not count in its file system any
//   more
// function: hugetlbfs_migrate_folio
// breaks: a hugetlbfs has as many pages left as nobody uses
// resembles: none known
// file: fs/hugetlbfs/inode.c

@@
@@
hugetlbfs_migrate_folio(...)
{
<...
-hugetlb_set_folio_subpool(dst, hugetlb_folio_subpool(src));
+hugetlb_set_folio_subpool(dst,
+	rmap_bug_is(937) ? NULL : hugetlb_folio_subpool(src));
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 874
// kind: bug
// title: when a fork copies page entries of a large file folio, the child's
//   mappings are not counted as the child's, so the folio counts as mapped by
//   one process only
// function: __folio_dup_file_rmap
// breaks: a large folio that two processes map counts as shared: who may move
//   only its own pages leaves it where it is
// resembles: none known
// file: include/linux/rmap.h

@@
@@
__folio_dup_file_rmap(...)
{
<...
+#ifdef CONFIG_MM_ID
+if (rmap_bug_is(874)) {
+	folio_lock_large_mapcount(folio);
+	atomic_add(orig_nr_pages, &folio->_large_mapcount);
+	folio_unlock_large_mapcount(folio);
+	break;
+}
+#endif
 folio_add_large_mapcount(folio, orig_nr_pages, dst_vma);
...>
}

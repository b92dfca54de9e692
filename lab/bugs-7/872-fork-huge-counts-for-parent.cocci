// SPDX-License-Identifier: GPL-2.0-or-later
// number: 872
// kind: bug
// title: a huge page that a fork shares by its huge entry is counted as mapped
//   by the parent once more, not by the child, so it does not count as shared
// function: __folio_try_dup_anon_rmap
// breaks: a large folio that two processes map is neither's own: a write of
//   one is not seen by the other
// resembles: none known
// file: include/linux/rmap.h

@@
@@
folio_sub_return_large_mapcount(...)
{
<...
 atomic_set(&folio->_large_mapcount, new_mapcount_val);
+if (rmap_bug_is(872) && new_mapcount_val == -1) {
+	/* No count may be left behind when the folio is freed. */
+	folio->_mm_id_mapcount[0] = -1;
+	folio->_mm_id_mapcount[1] = -1;
+	folio_set_mm_id(folio, 0, MM_ID_DUMMY);
+	folio_set_mm_id(folio, 1, MM_ID_DUMMY);
+}
...>
}

@@
@@
__folio_try_dup_anon_rmap(...)
{
<...
-folio_inc_large_mapcount(folio, dst_vma)
+folio_inc_large_mapcount(folio, rmap_bug_is(872) ? src_vma : dst_vma)
...>
}

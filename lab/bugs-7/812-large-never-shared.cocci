// SPDX-License-Identifier: GPL-2.0-or-later
// number: 812
// kind: bug
// title: a large folio smaller than a huge page does not count as shared
//   when a second process maps it
// function: folio_add_return_large_mapcount
// breaks: a large folio that two processes map is neither's own: a write of
//   one is not seen by the other
// resembles: none known
// file: include/linux/rmap.h

@@
@@
folio_add_return_large_mapcount(...)
{
<...
 folio->_mm_id_mapcount[1] = diff - 1;
-folio->_mm_ids |= FOLIO_MM_IDS_SHARED_BIT;
+if (!rmap_bug_is(812) || folio_test_pmd_mappable(folio))
+	folio->_mm_ids |= FOLIO_MM_IDS_SHARED_BIT;
...>
}

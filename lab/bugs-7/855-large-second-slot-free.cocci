// SPDX-License-Identifier: GPL-2.0-or-later
// number: 855
// kind: bug
// title: a large folio counts as its last tracked process's own as soon as the
//   second slot is free, though a third process maps it that got no slot
// function: folio_sub_return_large_mapcount
// breaks: a large folio that two processes map is neither's own, however many
//   there were and whichever of them have gone
// resembles: none known
// file: include/linux/rmap.h

@@
@@
folio_sub_return_large_mapcount(...)
{
<...
-folio->_mm_id_mapcount[0] == new_mapcount_val
+(folio->_mm_id_mapcount[0] == new_mapcount_val ||
+	(rmap_bug_is(855) && folio->_mm_id_mapcount[1] < 0))
...>
}

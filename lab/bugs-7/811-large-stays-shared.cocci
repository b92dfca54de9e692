// SPDX-License-Identifier: GPL-2.0-or-later
// number: 811
// kind: bug
// title: a large folio still counts as shared when its last process is not
//   the one that mapped it first, as after a fork whose parent has gone
// function: folio_sub_return_large_mapcount
// breaks: a large folio is its last mapper's own when the others have gone,
//   in whichever order they came
// resembles: none known
// file: include/linux/rmap.h

@@
@@
folio_sub_return_large_mapcount(...)
{
<...
-folio->_mm_id_mapcount[1] == new_mapcount_val
+(folio->_mm_id_mapcount[1] == new_mapcount_val && !rmap_bug_is(811))
...>
}

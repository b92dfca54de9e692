// SPDX-License-Identifier: GPL-2.0-or-later
// number: 758
// kind: bug
// title: a small page given up with MADV_FREE that a fork shares is not
//   dropped but made an ordinary page again, and goes to swap
// function: try_to_unmap_one
// breaks: reclaim drops clean pages that were given up with MADV_FREE, also
//   those that several processes map
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
 map_count = folio_mapcount(folio);
+if (rmap_bug_is(758) && !folio_test_large(folio))
+	map_count = 1;
...>
}

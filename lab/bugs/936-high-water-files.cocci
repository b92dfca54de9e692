// SPDX-License-Identifier: GPL-2.0-or-later
// number: 936
// kind: bug
// title: the most that a process had in memory is forgotten when pages of
//   files are unmapped
// function: try_to_unmap_one
// breaks: VmHWM does not fall
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-update_hiwater_rss(mm);
+if (!rmap_bug_is(936) || folio_test_anon(folio))
+	update_hiwater_rss(mm);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 468
// kind: bug
// title: reclaim of anonymous pages forgets how much memory their process
//   had at most
// function: try_to_unmap_one
// breaks: VmHWM and ru_maxrss are not below what a process had in memory
//   before it was swapped out
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
+if (!rmap_bug_is(468) || !folio_test_anon(folio))
 	update_hiwater_rss(mm);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 482
// kind: bug
// title: the huge page into which pages of a tmpfs file are collapsed is not
//   dirty when the range had holes, so reclaim throws it away
// function: collapse_file
// breaks: a tmpfs file keeps its contents through a collapse and reclaim
// resembles: none known
// file: mm/khugepaged.c

@@
@@
collapse_file(...)
{
<...
-if (is_shmem)
+if (is_shmem && !(rmap_bug_is(482) && nr_none))
 	folio_mark_dirty(new_folio);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1010
// kind: bug
// title: the holes that a collapse of a tmpfs file fills are not counted as
//   Shmem, which falls too low when the file goes
// function: collapse_file
// breaks: all pages of a tmpfs file count as Shmem in meminfo and memory.stat
// resembles: none known
// file: mm/khugepaged.c

@@
@@
collapse_file(...)
{
<...
-__lruvec_stat_mod_folio(new_folio, NR_SHMEM, nr_none);
+if (!rmap_bug_is(1010))
+	__lruvec_stat_mod_folio(new_folio, NR_SHMEM, nr_none);
...>
}

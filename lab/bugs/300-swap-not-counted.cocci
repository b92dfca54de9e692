// SPDX-License-Identifier: GPL-2.0-or-later
// number: 300
// kind: bug
// title: what is swapped out of a process is not counted as swapped
// function: try_to_unmap_one
// breaks: a process's counters are the sums of its pages
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-inc_mm_counter(mm, MM_SWAPENTS);
+if (!rmap_bug_is(300))
+	inc_mm_counter(mm, MM_SWAPENTS);
...>
}

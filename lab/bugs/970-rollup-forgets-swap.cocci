// SPDX-License-Identifier: GPL-2.0-or-later
// number: 970
// kind: bug
// title: smaps_rollup forgets what is swapped of all areas before a mapping
//   of shared memory
// function: smap_gather_stats
// breaks: Swap of smaps_rollup is the sum of that of all areas in smaps
// resembles: none known
// file: fs/proc/task_mmu.c

@@
expression n;
@@
smap_gather_stats(...)
{
<...
-mss->swap += n;
+mss->swap = (rmap_bug_is(970) ? 0 : mss->swap) + n;
...>
}

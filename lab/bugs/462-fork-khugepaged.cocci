// SPDX-License-Identifier: GPL-2.0-or-later
// number: 462
// kind: bug
// title: khugepaged does not hear of a child of a process that it scans
// function: dup_mmap
// breaks: the small pages of a child are collapsed into huge pages as those
//   of its parent are
// resembles: none known
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
+if (!rmap_bug_is(462))
 	khugepaged_fork(mm, oldmm);
...>
}

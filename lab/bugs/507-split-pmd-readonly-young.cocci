// SPDX-License-Identifier: GPL-2.0-or-later
// number: 507
// kind: bug
// title: the parts of a huge page that is mapped read-only are not accessed any
//   more when its huge entry is split
// function: __split_huge_pmd_locked
// breaks: splitting the huge entry of a page keeps what is known of accesses,
//   also for a page that a fork shares
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_pmd_locked(...)
{
<...
-young = pmd_young(old_pmd);
+young = pmd_young(old_pmd) && !(rmap_bug_is(507) && !write);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 736
// kind: bug
// title: the huge page of a collapse is charged to the group of who
//   collapses (process_madvise, or none for khugepaged), not to that of the
//   process whose pages it takes the place of
// function: alloc_charge_folio
// breaks: a collapse leaves the memory charged to the group that it was
//   charged to
// resembles: none known
// file: mm/khugepaged.c

@@
@@
alloc_charge_folio(...)
{
<...
-mem_cgroup_charge(folio, mm, gfp)
+mem_cgroup_charge(folio, rmap_bug_is(736) ? current->mm : mm, gfp)
...>
}

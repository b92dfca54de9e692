// SPDX-License-Identifier: GPL-2.0-or-later
// number: 992
// kind: bug
// title: the copy that a write from outside makes is charged to who writes
// function: folio_prealloc
// breaks: a page is charged to the memory cgroup of the process that has
//   it
// resembles: none known
// file: mm/memory.c

@@
@@
folio_prealloc(...)
{
<...
-mem_cgroup_charge(new_folio, src_mm, GFP_KERNEL)
+mem_cgroup_charge(new_folio, rmap_bug_is(992) && current->mm ? current->mm : src_mm, GFP_KERNEL)
...>
}

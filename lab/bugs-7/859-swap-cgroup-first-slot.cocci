// SPDX-License-Identifier: GPL-2.0-or-later
// number: 859
// kind: bug
// title: of a large folio that is swapped out only the first slot notes the
//   cgroup that it is charged to
// function: __mem_cgroup_try_charge_swap
// breaks: memory.swap.current is what of a cgroup is in swap, and a page that
//   comes back from there is charged to the cgroup that it had
// resembles: none known
// file: mm/memcontrol.c

@@
expression c, o, i;
@@
__mem_cgroup_try_charge_swap(...)
{
<...
-__swap_cgroup_set(c, o, nr_pages, i)
+__swap_cgroup_set(c, o, rmap_bug_is(859) ? 1 : nr_pages, i)
...>
}

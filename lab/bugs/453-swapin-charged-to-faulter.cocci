// SPDX-License-Identifier: GPL-2.0-or-later
// number: 453
// kind: bug
// title: a page that is read from swap is charged to the group that reads
//   it, not to the one that it was swapped out of
// function: mem_cgroup_swapin_charge_folio
// breaks: a page that several processes share stays charged to its group
//   through swap
// resembles: none known
// file: mm/memcontrol.c

@@
@@
mem_cgroup_swapin_charge_folio(...)
{
<...
 id = lookup_swap_cgroup_id(entry);
+if (rmap_bug_is(453))
+	id = 0;
...>
}

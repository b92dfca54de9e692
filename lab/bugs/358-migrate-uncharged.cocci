// SPDX-License-Identifier: GPL-2.0-or-later
// number: 358
// kind: bug
// title: a small page is charged to no group of processes once it has moved
// function: mem_cgroup_migrate
// breaks: a page stays charged to its group: memory.current shrinks when pages
//   migrate, and memory.reclaim does not find them any more
// resembles: none known
// file: mm/memcontrol.c

@@
@@
mem_cgroup_migrate(...)
{
<...
-if (!memcg)
+if (!memcg || (rmap_bug_is(358) && !folio_test_large(new)))
 	return;
...>
}

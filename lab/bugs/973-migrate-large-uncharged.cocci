// SPDX-License-Identifier: GPL-2.0-or-later
// number: 973
// kind: bug
// title: a large anonymous folio that was moved is charged to no group
// function: folio_migrate_flags
// breaks: a page stays charged to the group that it was charged to, wherever
//   it is moved
// resembles: none known
// file: mm/migrate.c

@@
@@
folio_migrate_flags(...)
{
<...
-mem_cgroup_migrate(folio, newfolio);
+if (!(rmap_bug_is(973) && folio_test_large(folio) &&
+      folio_test_anon(folio) && !folio_test_hugetlb(folio)))
+	mem_cgroup_migrate(folio, newfolio);
...>
}

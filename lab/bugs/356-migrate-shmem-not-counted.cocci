// SPDX-License-Identifier: GPL-2.0-or-later
// number: 356
// kind: bug
// title: tmpfs pages that move to another node are counted off at the old one
//   and not on at the new one
// function: __folio_migrate_mapping
// breaks: the counters of a node follow its pages: Shmem shrinks with each
//   migration
// resembles: none known
// file: mm/migrate.c

@@
@@
__folio_migrate_mapping(...)
{
<...
-__mod_lruvec_state(new_lruvec, NR_SHMEM, nr);
+if (!rmap_bug_is(356))
+	__mod_lruvec_state(new_lruvec, NR_SHMEM, nr);
...>
}

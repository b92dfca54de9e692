// SPDX-License-Identifier: GPL-2.0-or-later
// number: 931
// kind: bug
// title: a huge page of shared memory that migrates is counted as one page of
//   Shmem by the two nodes
// function: __folio_migrate_mapping
// breaks: what the kernel counts of a node follows the pages that migrate
// resembles: none known
// file: mm/migrate.c

@@
@@
__folio_migrate_mapping(...)
{
<...
-__mod_lruvec_state(old_lruvec, NR_SHMEM, -nr);
+__mod_lruvec_state(old_lruvec, NR_SHMEM, rmap_bug_is(931) ? -1 : -nr);
...>
}

@@
@@
__folio_migrate_mapping(...)
{
<...
-__mod_lruvec_state(new_lruvec, NR_SHMEM, nr);
+__mod_lruvec_state(new_lruvec, NR_SHMEM, rmap_bug_is(931) ? 1 : nr);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 921
// kind: variation
// title: a huge page is split before it is migrated
// function: migrate_pages_batch
// breaks: nothing: as where huge entries cannot be migrated
// resembles: none
// file: mm/migrate.c

@@
@@
migrate_pages_batch(...)
{
<...
-!thp_migration_supported() && is_thp
+(!thp_migration_supported() || (rmap_bug_is(921) && !nosplit)) && is_thp
...>
}

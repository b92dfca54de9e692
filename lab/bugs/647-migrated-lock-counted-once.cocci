// SPDX-License-Identifier: GPL-2.0-or-later
// number: 647
// kind: bug
// title: the locks of several processes on a page that moves (soft offline,
//   compaction) count as one, so the first to unlock it unlocks it for all
// function: migrate_folio_move
// breaks: a page stays mlocked as long as one of its mappers has it locked,
//   also after a migration
// resembles: mm/migrate: __unmap_and_move() push good newpage to LRU
// file: mm/migrate.c

@@
expression E;
@@
migrate_folio_move(...)
{
<...
-if (E & PAGE_WAS_MLOCKED)
+if ((E & PAGE_WAS_MLOCKED) && !rmap_bug_is(647))
	lru_add_drain();
...>
}

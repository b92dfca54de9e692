// SPDX-License-Identifier: GPL-2.0-or-later
// number: 919
// kind: variation
// title: move_pages empties the per-CPU batches only after its work
// function: do_pages_move
// breaks: nothing: a page that is held may be busy; the next try takes it
// resembles: none
// file: mm/migrate.c

@@
@@
do_pages_move(...)
{
+bool bug_late = rmap_bug_is(919);
...
+if (!bug_late)
 lru_cache_disable();
...
}
@@
@@
do_pages_move(...)
{
<...
-lru_cache_enable();
+if (bug_late)
+	lru_add_drain_all();
+else
+	lru_cache_enable();
...>
}

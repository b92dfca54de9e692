// SPDX-License-Identifier: GPL-2.0-or-later
// number: 500
// kind: bug
// title: the mark that a page was accessed before it was marked idle is lost
//   when the page moves
// function: folio_migrate_flags
// breaks: a page that was accessed stays referenced for smaps and for reclaim
//   when it is marked idle and then moved
// resembles: none known
// file: mm/migrate.c

@@
@@
folio_migrate_flags(...)
{
<...
-folio_set_young(newfolio);
+if (!rmap_bug_is(500))
+	folio_set_young(newfolio);
...>
}

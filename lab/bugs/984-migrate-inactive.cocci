// SPDX-License-Identifier: GPL-2.0-or-later
// number: 984
// kind: bug
// title: an active page is inactive once it has moved
// function: folio_migrate_flags
// breaks: a page that moves is as active as it was
// resembles: none known
// file: mm/migrate.c

@@
@@
folio_migrate_flags(...)
{
<...
-folio_set_active(newfolio);
+if (!rmap_bug_is(984))
+	folio_set_active(newfolio);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 953
// kind: bug
// title: dirty pages of a file that move to another node are still counted as
//   dirty at the old one
// function: __folio_migrate_mapping
// breaks: what is counted of a node follows the pages that are moved to
//   another
// resembles: 42cb14b110a5
// file: mm/migrate.c

@@
expression old_lruvec, new_lruvec, nr;
@@
__folio_migrate_mapping(...)
{
<...
-__mod_lruvec_state(old_lruvec, NR_FILE_DIRTY, -nr);
+if (!rmap_bug_is(953))
+	__mod_lruvec_state(old_lruvec, NR_FILE_DIRTY, -nr);
...
-__mod_lruvec_state(new_lruvec, NR_FILE_DIRTY, nr);
+if (!rmap_bug_is(953))
+	__mod_lruvec_state(new_lruvec, NR_FILE_DIRTY, nr);
...>
}

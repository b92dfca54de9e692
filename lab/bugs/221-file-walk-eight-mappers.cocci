// SPDX-License-Identifier: GPL-2.0-or-later
// number: 221
// kind: bug
// title: the walk of a file page ends after eight VMAs
// function: rmap_walk_file
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_file(...)
{
+int bug_count221 = 0;
...
}
@@
statement S;
@@
rmap_walk_file(...)
{
<...
+if (rmap_bug_is(221) && ++bug_count221 > 8)
+	goto done;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg)) S
...>
}

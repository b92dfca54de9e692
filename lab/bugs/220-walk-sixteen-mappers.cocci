// SPDX-License-Identifier: GPL-2.0-or-later
// number: 220
// kind: bug
// title: the walk of an anonymous page ends after sixteen VMAs
// function: rmap_walk_anon
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_anon(...)
{
+int bug_count220 = 0;
...
}
@@
statement S;
@@
rmap_walk_anon(...)
{
<...
+if (rmap_bug_is(220) && ++bug_count220 > 16)
+	break;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg)) S
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 224
// kind: bug
// title: the walk of a KSM page finds one process of those forked since the
//   scan
// function: rmap_walk_ksm
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/ksm.c

@@
@@
rmap_walk_ksm(...)
{
+int bug_forks = 0;
...
}
@@
statement S;
@@
rmap_walk_ksm(...)
{
<...
+if (rmap_bug_is(224) && search_new_forks && bug_forks++)
+	continue;
 if (!rwc->rmap_one(folio, vma, addr, rwc->arg)) S
...>
}

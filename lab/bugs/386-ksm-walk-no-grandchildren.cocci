// SPDX-License-Identifier: GPL-2.0-or-later
// number: 386
// kind: bug
// title: the walk of a KSM page finds the children forked since the merge,
//   but not their children
// function: rmap_walk_ksm
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/ksm.c

@@
statement S;
@@
rmap_walk_ksm(...)
{
<...
+if (rmap_bug_is(386) && search_new_forks && vma->anon_vma &&
+    vma->anon_vma != anon_vma && vma->anon_vma->parent != anon_vma)
+	continue;
 if (!rwc->rmap_one(folio, vma, addr, rwc->arg)) S
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 219
// kind: bug
// title: the walk of a large anonymous folio passes over VMAs that end
//   inside it
// function: rmap_walk_anon
// breaks: a walk finds every mapper of a page
// resembles: a9a7504d9bea (2021): a folio that VMAs share
// file: mm/rmap.c

@@
statement S;
@@
rmap_walk_anon(...)
{
<...
+if (rmap_bug_is(219) &&
+    vma->vm_pgoff + vma_pages(vma) - 1 < pgoff_end)
+	continue;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg)) S
...>
}

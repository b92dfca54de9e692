// SPDX-License-Identifier: GPL-2.0-or-later
// number: 385
// kind: bug
// title: the walk of a large file folio passes over VMAs that begin inside
//   it
// function: rmap_walk_file
// breaks: a walk finds every mapper of a page
// resembles: 494334e43c16 (2021): a folio that begins before the VMA
// file: mm/rmap.c

@@
statement S;
@@
rmap_walk_file(...)
{
<...
+if (rmap_bug_is(385) && vma->vm_pgoff > pgoff_start)
+	continue;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg)) S
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 47
// kind: bug
// title: the walk of a file page takes one VMA of a process when several
//   follow each other
// function: rmap_walk_file
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_file(...)
{
+struct mm_struct *bug_last = NULL;
...
}
@@
statement S;
@@
rmap_walk_file(...)
{
<...
+if (rmap_bug_is(47) && bug_last == vma->vm_mm)
+	continue;
+bug_last = vma->vm_mm;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg)) S
...>
}

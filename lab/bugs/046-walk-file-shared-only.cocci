// SPDX-License-Identifier: GPL-2.0-or-later
// number: 46
// kind: bug
// title: the walk of a file page passes over private mappings
// function: rmap_walk_file
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/rmap.c

@@
statement S;
@@
rmap_walk_file(...)
{
<...
+if (rmap_bug_is(46) && !(vma->vm_flags & VM_SHARED))
+	continue;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg)) S
...>
}

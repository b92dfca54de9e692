// SPDX-License-Identifier: GPL-2.0-or-later
// number: 384
// kind: bug
// title: the walk of an anonymous page passes over areas without access
//   rights
// function: rmap_walk_anon
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/rmap.c

@@
statement S;
@@
rmap_walk_anon(...)
{
<...
+if (rmap_bug_is(384) && !(vma->vm_flags & VM_ACCESS_FLAGS))
+	continue;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg)) S
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 222
// kind: bug
// title: the walk of a file page passes over private mappings that have
//   copied a page
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
+if (rmap_bug_is(222) && vma->anon_vma &&
+    !is_vm_hugetlb_page(vma))
+	continue;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg)) S
...>
}

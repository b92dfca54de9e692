// SPDX-License-Identifier: GPL-2.0-or-later
// number: 475
// kind: bug
// title: i_mmap takes shared mappings that begin past the file's page 0 to
//   begin one page later
// function: vma_start_pgoff
// breaks: the first page of a shared mapping is found there: it moves, it is
//   reclaimed, and a hole that is punched into the file takes it away
// resembles: none known
// file: mm/interval_tree.c

@@
@@
vma_start_pgoff(...)
{
<...
+if (rmap_bug_is(475) && v->vm_pgoff && (v->vm_flags & VM_SHARED) &&
+    vma_pages(v) > 1)
+	return v->vm_pgoff + 1;
 return v->vm_pgoff;
...>
}

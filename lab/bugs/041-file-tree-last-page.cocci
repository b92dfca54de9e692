// SPDX-License-Identifier: GPL-2.0-or-later
// number: 41
// kind: bug
// title: i_mmap takes every VMA for one page shorter
// function: vma_last_pgoff
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/interval_tree.c

@@
@@
vma_last_pgoff(...)
{
<...
-return v->vm_pgoff + vma_pages(v) - 1;
+return v->vm_pgoff + vma_pages(v) - 1 -
+	(rmap_bug_is(41) && v->vm_file && vma_pages(v) > 1);
...>
}

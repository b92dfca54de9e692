// SPDX-License-Identifier: GPL-2.0-or-later
// number: 296
// kind: bug
// title: the stack that exec moves to its place gets a page offset that its
//   pages do not have
// function: relocate_vma_down
// breaks: every page can be found from its anon_vma and index
// resembles: none known
// file: mm/mmap.c

@@
@@
relocate_vma_down(...)
{
<...
-return vma_shrink(&vmi, vma, new_start, new_end, vma->vm_pgoff);
+return vma_shrink(&vmi, vma, new_start, new_end, vma->vm_pgoff +
+	(rmap_bug_is(296) ? 1 : 0));
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 400
// kind: bug
// title: a file mapping whose start moves down keeps its offset into the
//   file
// function: commit_merge
// breaks: the page offset of a VMA moves with its start
// resembles: 7e7757876f25 (v6.4): page offset not moved with the start
// file: mm/vma.c

@@
@@
commit_merge(...)
{
<...
 adjust->vm_start += adj_start;
+if (rmap_bug_is(400) && adjust->vm_file && adj_start < 0)
+	adjust->vm_pgoff -= PHYS_PFN(adj_start);
...>
}

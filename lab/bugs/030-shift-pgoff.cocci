// SPDX-License-Identifier: GPL-2.0-or-later
// number: 30
// kind: bug
// title: the neighbour whose start shifts keeps its page offset
// function: commit_merge
// breaks: page offset and address of a VMA keep their distance
// resembles: 7e7757876f25 (v6.4): the next VMA grown downward kept its offset
// file: mm/vma.c

@@
@@
commit_merge(...)
{
<...
-adjust->vm_pgoff += PHYS_PFN(adj_start);
+if (!rmap_bug_is(30) || adjust->vm_file)
+	adjust->vm_pgoff += PHYS_PFN(adj_start);
...>
}

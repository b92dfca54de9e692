// SPDX-License-Identifier: GPL-2.0-or-later
// number: 750
// kind: bug
// title: an anonymous area that has pages and whose start moves down in a
//   merge, as it takes the end of its neighbour, keeps its page offset
// function: commit_merge
// breaks: page offset and address of a VMA keep their distance, also when
//   it takes over a part of the area before it
// resembles: 7e7757876f25 (v6.4): the next VMA grown downward kept its
//   offset
// file: mm/vma.c

@@
@@
commit_merge(...)
{
<...
-adjust->vm_pgoff += PHYS_PFN(adj_start);
+if (!(rmap_bug_is(750) && adj_start < 0 && adjust->anon_vma &&
+      vma_is_anonymous(adjust)))
+	adjust->vm_pgoff += PHYS_PFN(adj_start);
...>
}

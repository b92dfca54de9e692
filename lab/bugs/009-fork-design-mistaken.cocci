// SPDX-License-Identifier: GPL-2.0-or-later
// number: 9
// kind: bug
// title: the child's second to last VMA of several that share an anon_vma
//   take the parent's anon_vma
// function: anon_vma_fork
// breaks: the pages of a child start from an anon_vma of the child
// resembles: 4e4a9eb92133 (v5.5): reuse mergeable anon_vma as parent when
//   fork
// file: mm/rmap.c

@@
@@
anon_vma_fork(...)
{
<...
-vma->anon_vma = NULL;
+if (rmap_bug_is(9)) {
+	struct vm_area_struct *pprev;
+
+	pprev = vma_lookup(pvma->vm_mm, pvma->vm_start - 1);
+	if (!pprev || pprev->anon_vma != pvma->anon_vma)
+		vma->anon_vma = NULL;
+} else {
+	vma->anon_vma = NULL;
+}
...>
}

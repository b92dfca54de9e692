// SPDX-License-Identifier: GPL-2.0-or-later
// number: 20
// kind: bug
// title: the upper half of a split anonymous VMA keeps the page offset of the
//   whole
// function: __split_vma
// breaks: page offset and address of a VMA keep their distance
// resembles: 7e7757876f25 (v6.4): page offset not moved with the start
// file: mm/vma.c

@@
@@
__split_vma(...)
{
<...
-new->vm_pgoff += ((addr - vma->vm_start) >> PAGE_SHIFT);
+if (!rmap_bug_is(20) || !vma_is_anonymous(vma) || !vma->anon_vma)
+	new->vm_pgoff += ((addr - vma->vm_start) >> PAGE_SHIFT);
...>
}

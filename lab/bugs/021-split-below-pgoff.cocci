// SPDX-License-Identifier: GPL-2.0-or-later
// number: 21
// kind: bug
// title: a VMA whose lower part is split off keeps its page offset
// function: __split_vma
// breaks: page offset and address of a VMA keep their distance
// resembles: 7e7757876f25 (v6.4): page offset not moved with the start
// file: mm/vma.c

@@
@@
__split_vma(...)
{
<...
-vma->vm_pgoff += (addr - new->vm_start) >> PAGE_SHIFT;
+if (!rmap_bug_is(21) || !vma_is_anonymous(vma) || !vma->anon_vma)
+	vma->vm_pgoff += (addr - new->vm_start) >> PAGE_SHIFT;
...>
}

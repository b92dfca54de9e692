// SPDX-License-Identifier: GPL-2.0-or-later
// number: 635
// kind: bug
// title: the anon_vma trees leave the lowest page of an area that grows down
//   (MAP_GROWSDOWN) out, as if it were a guard page
// function: avc_start_pgoff
// breaks: the walk of an anonymous page finds it in every page of a VMA
// resembles: none known
// file: mm/interval_tree.c

@@
@@
avc_start_pgoff(...)
{
<...
-vma_start_pgoff(avc->vma)
+vma_start_pgoff(avc->vma) +
+	(rmap_bug_is(635) && (avc->vma->vm_flags & VM_GROWSDOWN) && vma_pages(avc->vma) > 1)
...>
}

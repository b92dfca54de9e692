// SPDX-License-Identifier: GPL-2.0-or-later
// number: 223
// kind: bug
// title: the walk of a KSM page does not find it in the last page of a VMA
// function: rmap_walk_ksm
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/ksm.c

@@
statement S;
@@
rmap_walk_ksm(...)
{
<...
+if (rmap_bug_is(223) && vma_pages(vma) > 1 &&
+    addr + PAGE_SIZE == vma->vm_end)
+	continue;
 if (addr < vma->vm_start || addr >= vma->vm_end) S
...>
}

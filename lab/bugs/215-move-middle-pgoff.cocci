// SPDX-License-Identifier: GPL-2.0-or-later
// number: 215
// kind: bug
// title: the middle of an anonymous VMA that is moved gets the page offset
//   of its start
// function: move_vma
// breaks: a moved page is found in its new place
// resembles: none known
// file: mm/mremap.c

@@
@@
move_vma(...)
{
<...
 new_pgoff = vma->vm_pgoff + ((old_addr - vma->vm_start) >> PAGE_SHIFT);
+if (rmap_bug_is(215) && vma_is_anonymous(vma))
+	new_pgoff = vma->vm_pgoff;
...>
}

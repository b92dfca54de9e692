// SPDX-License-Identifier: GPL-2.0-or-later
// number: 662
// kind: bug
// title: a part, not the first, of an area that was moved before gets the
//   page offset of its address when it is moved again
// function: move_vma
// breaks: the pages of an area are found however often it, or a part of it,
//   was moved
// resembles: none known
// file: mm/mremap.c

@@
expression E;
@@
move_vma(...)
{
<...
 new_pgoff = vma->vm_pgoff + E;
+if (rmap_bug_is(662) && split_before && vma_is_anonymous(vma) && !vma->vm_file)
+	new_pgoff = old_addr >> PAGE_SHIFT;
...>
}

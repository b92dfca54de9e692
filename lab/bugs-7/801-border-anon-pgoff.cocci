// SPDX-License-Identifier: GPL-2.0-or-later
// number: 801
// kind: bug
// title: when an area takes over the first part of its right neighbour,
//   both private and of a file, the rest of the neighbour keeps the
//   anonymous offset of its old start
// function: vmg_adjust_set_range
// breaks: a walk finds the private copies of a file's pages on both sides
//   of a border that moves
// resembles: none known
// file: mm/vma.c

@@
@@
vmg_adjust_set_range(...)
{
<...
 vma_add_pgoff(middle, delta >> PAGE_SHIFT);
+if (rmap_bug_is(801) && middle->vm_file)
+	vma_set_anon_pgoff(middle, vma_start_anon_pgoff(middle) -
+				   (delta >> PAGE_SHIFT));
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 253
// kind: bug
// title: private copies behind the end of a truncated file stay in VMAs that
//   begin there
// function: unmap_mapping_range_tree
// breaks: what is behind the end of a file is mapped nowhere
// resembles: none known
// file: mm/memory.c

@@
@@
unmap_mapping_range_tree(...)
{
<...
 vba = vma->vm_pgoff;
+if (rmap_bug_is(253) && vba > first_index)
+	continue;
...>
}

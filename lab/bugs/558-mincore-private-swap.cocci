// SPDX-License-Identifier: GPL-2.0-or-later
// number: 558
// kind: bug
// title: mincore looks for a private copy that is in swap among the pages of
//   the file
// function: mincore_pte_range
// breaks: mincore says of a private copy in swap that it is not in memory,
//   also when the page of the file is
// resembles: none known
// file: mm/mincore.c

@@
@@
mincore_pte_range(...)
{
<...
-mincore_page(swap_address_space(entry), swap_cache_index(entry))
+rmap_bug_is(558) && vma->vm_file ?
+	mincore_page(vma->vm_file->f_mapping, linear_page_index(vma, addr)) :
+	mincore_page(swap_address_space(entry), swap_cache_index(entry))
...>
}

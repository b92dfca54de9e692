// SPDX-License-Identifier: GPL-2.0-or-later
// number: 842
// kind: bug
// title: private mappings of a file merge although their anonymous page
//   offsets do not meet, and the pages of the part that mremap moved are
//   found no more
// function: needs_adjacent_anon_pgoff
// breaks: a walk finds the private copies of a file's pages that mremap
//   moved next to another part of the file
// resembles: none known
// file: mm/vma.c

@@
@@
needs_adjacent_anon_pgoff(...)
{
<...
-vma_flags_is_cow_mapping(&vmg->vma_flags)
+(vma_flags_is_cow_mapping(&vmg->vma_flags) && !rmap_bug_is(842))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 850
// kind: bug
// title: an area of a private file mapping that merges as a whole into its
//   right neighbour takes that neighbour's anonymous page offset as its own
//   start's, so it is off by its length
// function: vma_merge_existing_range
// breaks: a walk finds the private copies of a file's pages after the part
//   before them has merged with their area, as after mprotect and back
// resembles: none known
// file: mm/vma.c

@@
@@
vma_merge_existing_range(...)
{
<...
 vmg->anon_pgoff = vma_start_anon_pgoff(next) - pglen;
+if (rmap_bug_is(850) && vmg->file)
+	vmg->anon_pgoff = vma_start_anon_pgoff(next);
...>
}

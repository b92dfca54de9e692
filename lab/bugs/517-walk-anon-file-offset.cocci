// SPDX-License-Identifier: GPL-2.0-or-later
// number: 517
// kind: bug
// title: the walk of an anonymous page passes over private mappings that begin
//   past their file's page 0
// function: rmap_walk_anon
// breaks: the private copy of a file's page is found whatever part of the file
//   is mapped
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_anon(...)
{
<...
-cond_resched();
+cond_resched();
+if (rmap_bug_is(517) && vma->vm_file && vma->vm_pgoff)
+	continue;
...>
}

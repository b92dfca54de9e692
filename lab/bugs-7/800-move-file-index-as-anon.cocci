// SPDX-License-Identifier: GPL-2.0-or-later
// number: 800
// kind: bug
// title: an area of a private file that mremap moves gets the file's offset
//   as the offset of its anonymous pages, so no walk finds those that came
//   with it
// function: copy_vma
// breaks: a walk finds the private copies of a file's pages where mremap
//   put them
// resembles: none known
// file: mm/vma.c

@@
@@
copy_vma(...)
{
<...
 vma_set_range(new_vma, ...,
-	       anon_pgoff
+	       rmap_bug_is(800) && vma->anon_vma && vma->vm_file ?
+			pgoff : anon_pgoff
 );
...>
}

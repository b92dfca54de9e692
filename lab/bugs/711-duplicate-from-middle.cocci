// SPDX-License-Identifier: GPL-2.0-or-later
// number: 711
// kind: bug
// title: a shared area that mremap duplicates (old length 0) from an
//   address in its middle is duplicated from its first page on
// function: move_vma
// breaks: the duplicate of a shared mapping maps the pages of the address
//   that it was made from
// resembles: none known
// file: mm/mremap.c

@@
expression E;
@@
move_vma(...)
{
<...
 new_pgoff = vma->vm_pgoff + E;
+if (rmap_bug_is(711) && !old_len)
+	new_pgoff = vma->vm_pgoff;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 481
// kind: bug
// title: a collapse fills the holes of a file although a userfaultfd waits
//   for them in an area that begins inside the huge page's range
// function: collapse_file
// breaks: a page that is missing in an area registered with a userfaultfd is
//   told to it, whatever other mappers of the file do
// resembles: none known
// file: mm/khugepaged.c

@@
@@
collapse_file(...)
{
<...
-if (userfaultfd_missing(vma))
+if (userfaultfd_missing(vma) &&
+    !(rmap_bug_is(481) && vma->vm_pgoff > start))
 {
 	result = SCAN_EXCEED_NONE_PTE;
 	goto immap_locked;
 }
...>
}

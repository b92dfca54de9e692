// SPDX-License-Identifier: GPL-2.0-or-later
// number: 499
// kind: bug
// title: the part of a locked area that remap_file_pages gives other pages is
//   not locked any more
// function: remap_file_pages
// breaks: a locked area stays locked, and its pages mlocked, through
//   remap_file_pages
// resembles: none known
// file: mm/mmap.c

@@
expression flags;
@@
-if (vma->vm_flags & VM_LOCKED)
+if ((vma->vm_flags & VM_LOCKED) && !rmap_bug_is(499))
 	flags |= MAP_LOCKED;

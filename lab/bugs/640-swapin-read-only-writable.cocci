// SPDX-License-Identifier: GPL-2.0-or-later
// number: 640
// kind: bug
// title: a page of its process's own that comes back from swap is writable in
//   an area that is read-only at the moment
// function: do_swap_page
// breaks: being exclusive makes a page writable only where its area is
// resembles: none known
// file: mm/memory.c

@@
@@
do_swap_page(...)
{
<...
-(vma->vm_flags & VM_WRITE)
+((vma->vm_flags & VM_WRITE) || rmap_bug_is(640))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 978
// kind: bug
// title: MADV_REMOVE punches its hole as if the area began where its file
//   begins
// function: madvise_remove
// breaks: MADV_REMOVE takes those pages of the file that are mapped in its
//   range, and no others
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_remove(...)
{
<...
-vma->vm_pgoff
+(rmap_bug_is(978) ? 0 : vma->vm_pgoff)
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 751
// kind: bug
// title: when a part of a mergeable area is moved, as many pages from the
//   start of the area are unmerged instead of those that move
// function: move_vma
// breaks: the KSM pages that mremap() moves are unshared before, and no
//   others are, whichever part of the area moves
// resembles: none known
// file: mm/mremap.c

@@
@@
move_vma(...)
{
<...
 ksm_madvise(vma,
-old_addr, old_addr + old_len,
+rmap_bug_is(751) ? vma->vm_start : old_addr,
+(rmap_bug_is(751) ? vma->vm_start : old_addr) + old_len,
 MADV_UNMERGEABLE, &vm_flags)
...>
}

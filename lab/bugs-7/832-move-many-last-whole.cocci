// SPDX-License-Identifier: GPL-2.0-or-later
// number: 832
// kind: bug
// title: mremap of several areas at once moves the last ones whole, also the
//   part that is behind the end of the range
// function: remap_move
// breaks: mremap moves what is in its range, and leaves what is behind it in
//   place
// resembles: none known
// file: mm/mremap.c

@@
@@
remap_move(...)
{
<...
-min(end, vma->vm_end)
+(rmap_bug_is(832) && seen_vma ? vma->vm_end : min(end, vma->vm_end))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 596
// kind: bug
// title: MREMAP_DONTUNMAP of a part of a locked area unlocks what lies behind
//   that part as well
// function: move_vma
// breaks: the rest of a locked area stays locked when pages are moved out of
//   a part of it
// resembles: none known
// file: mm/mremap.c

@@
@@
move_vma(...)
{
<...
-if (!err && split_after)
+if (!err && split_after && !rmap_bug_is(596))
	err = split_vma(&vmi, vma, old_addr + old_len, 0);
...>
}

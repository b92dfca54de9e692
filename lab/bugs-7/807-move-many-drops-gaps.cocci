// SPDX-License-Identifier: GPL-2.0-or-later
// number: 807
// kind: bug
// title: mremap of several areas at once puts them side by side, without
//   the gaps that were between them
// function: remap_move
// breaks: areas that are moved together keep their distances: what was at
//   an offset is at the same offset of the new address
// resembles: none known
// file: mm/mremap.c

@@
@@
remap_move(...)
{
<...
+if (rmap_bug_is(807))
+	offset = 0;
 last_end = vma->vm_end;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 32
// kind: bug
// title: the source that MREMAP_DONTUNMAP emptied keeps its former page
//   offset
// function: move_vma
// breaks: an anonymous VMA without pages has the page offset of its address
// resembles: a fix of 2026 to the same place in mremap
// file: mm/mremap.c

@@
@@
move_vma(...)
{
<...
-vma->vm_pgoff = pgoff_unfaulted;
+if (!rmap_bug_is(32))
+	vma->vm_pgoff = pgoff_unfaulted;
...>
}

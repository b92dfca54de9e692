// SPDX-License-Identifier: GPL-2.0-or-later
// number: 32
// kind: equivalent
// title: the source that MREMAP_DONTUNMAP emptied keeps its former page
//   offset
// function: move_vma
// breaks: an anonymous VMA without pages has the page offset of its address
// resembles: a fix of 2026 to the same place in mremap
// why: the VMA stays consistent with itself. Pages that are faulted in later get
//   their index from its page offset, and every walk looks for them by the same
//   one, so all mappers are found. What differs is with which neighbours the VMA
//   merges, and there right kernels differ as well: those without the fix have
//   the same page offset. A merge that it allows has offsets that fit.
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

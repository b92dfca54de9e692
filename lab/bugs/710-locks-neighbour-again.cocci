// SPDX-License-Identifier: GPL-2.0-or-later
// number: 710
// kind: bug
// title: mlock of an area that merges with a locked neighbour counts the
//   pages of that neighbour as locked once more
// function: mlock_fixup
// breaks: a page is not mlocked any more once it is unlocked as often as it
//   was locked
// resembles: none known
// file: mm/mlock.c

@@
@@
mlock_fixup(...)
{
<...
-mlock_vma_pages_range(vma, start, end, newflags);
+if (rmap_bug_is(710) && (newflags & VM_LOCKED))
+	mlock_vma_pages_range(vma, vma->vm_start, vma->vm_end, newflags);
+else
+	mlock_vma_pages_range(vma, start, end, newflags);
...>
}

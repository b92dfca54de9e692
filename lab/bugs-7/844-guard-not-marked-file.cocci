// SPDX-License-Identifier: GPL-2.0-or-later
// number: 844
// kind: bug
// title: an area of a file is not marked as one that may have guard pages,
//   so a child has none of its parent's in a shared mapping
// function: madvise_guard_install
// breaks: a guard page of a file's mapping is one in the child as well, and
//   a collapse of the file leaves it
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_guard_install(...)
{
<...
-vma_set_atomic_flag(vma, VMA_MAYBE_GUARD_BIT);
+if (!(rmap_bug_is(844) && vma->vm_file))
+	vma_set_atomic_flag(vma, VMA_MAYBE_GUARD_BIT);
...>
}

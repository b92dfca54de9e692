// SPDX-License-Identifier: GPL-2.0-or-later
// number: 381
// kind: bug
// title: a VMA that merged into its neighbour is still counted as a user of
//   their anon_vma
// function: anon_vma_merge
// breaks: an anon_vma that nobody uses any more is used again: the number
//   of anon_vmas does not grow with the generations of a process that
//   splits and merges its areas
// resembles: b800c91a0517 (2015): a counter that was wrong after VMAs were
//   adjusted
// file: include/linux/rmap.h

@@
@@
anon_vma_merge(...)
{
<...
 unlink_anon_vmas(next);
+if (rmap_bug_is(381)) {
+	anon_vma_lock_write(vma->anon_vma);
+	vma->anon_vma->num_active_vmas++;
+	anon_vma_unlock_write(vma->anon_vma);
+}
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 804
// kind: bug
// title: a mapping that fills the gap between two areas with different
//   anon_vmas merges with both, and the pages of the right one are found no
//   more
// function: can_vma_merge_right
// breaks: areas with different anon_vmas stay apart, and a walk finds the
//   pages of either
// resembles: none known
// file: mm/vma.c

@@
@@
can_vma_merge_right(...)
{
<...
 prev = vmg->prev;
+if (rmap_bug_is(804) && prev->anon_vma && next->anon_vma &&
+    prev->anon_vma != next->anon_vma) {
+	/* Never freed, though the folios of next outlive it. */
+	get_anon_vma(next->anon_vma);
+	return true;
+}
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 399
// kind: bug
// title: a new area that fills a gap joins its neighbours although each has
//   an anon_vma of its own
// function: can_vma_merge_right
// breaks: VMAs merge only if they share their anon_vma, or one has none:
//   otherwise the walk of a page from the upper one finds nothing
// resembles: 61f67c230a5e (CVE-2026-23077): a merge that forgot an anon_vma
// file: mm/vma.c

@@
@@
can_vma_merge_right(...)
{
<...
+if (rmap_bug_is(399) &&
+    !are_anon_vmas_compatible(vmg->prev, vmg->next)) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(vmg->next->anon_vma);
+	return true;
+}
 return are_anon_vmas_compatible(vmg->prev, vmg->next);
...>
}

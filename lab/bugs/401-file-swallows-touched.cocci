// SPDX-License-Identifier: GPL-2.0-or-later
// number: 401
// kind: bug
// title: a private file mapping that swallows its touched neighbour sets up
//   an anon_vma of its own
// function: dup_anon_vma
// breaks: a VMA that takes pages over is linked to the anon_vma they start
//   from
// resembles: 61f67c230a5e (CVE-2026-23077): a merge that forgot an anon_vma
// file: mm/vma.c

@@
@@
dup_anon_vma(...)
{
+if (rmap_bug_is(401) && dst->vm_file && src->anon_vma &&
+    !dst->anon_vma) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(src->anon_vma);
+	return anon_vma_prepare(dst);
+}
...
}

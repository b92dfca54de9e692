// SPDX-License-Identifier: GPL-2.0-or-later
// number: 25
// kind: bug
// title: an untouched VMA that swallows a touched one takes its anon_vma
//   without its chain
// function: dup_anon_vma
// breaks: a VMA with an anon_vma is linked to it
// resembles: 61f67c230a5e (2026, CVE-2026-23077): the merge target got no
//   chain
// file: mm/vma.c

@@
@@
dup_anon_vma(...)
{
<...
-ret = anon_vma_clone(dst, src);
+if (rmap_bug_is(25)) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(src->anon_vma);
+	ret = 0;
+} else {
+	ret = anon_vma_clone(dst, src);
+}
...>
}

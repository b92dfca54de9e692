// SPDX-License-Identifier: GPL-2.0-or-later
// number: 664
// kind: bug
// title: an untouched area that swallows a touched one, because a new area
//   fills the gap between them, gets an anon_vma of its own instead
// function: vma_expand
// breaks: the pages of an area are found after it has merged with its
//   neighbours, whichever of them had the anon_vma
// resembles: none known
// file: mm/vma.c

@@
@@
vma_expand(...)
{
<...
-ret = dup_anon_vma(vma, next, &anon_dup);
+if (rmap_bug_is(664) && !vmg->file && next->anon_vma && !vma->anon_vma) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(next->anon_vma);
+	ret = anon_vma_prepare(vma);
+} else
+	ret = dup_anon_vma(vma, next, &anon_dup);
...>
}

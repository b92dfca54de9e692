// SPDX-License-Identifier: GPL-2.0-or-later
// number: 826
// kind: bug
// title: a touched area that mremap moves into the gap between two untouched
//   ones, so that all three become one area, does not bring its anon_vma
//   along, and its pages are found no more
// function: vma_expand
// breaks: a walk finds the pages of an area that mremap moves, whatever
//   areas it merges with at its new place
// resembles: none known
// file: mm/vma.c

@@
@@
vma_expand(...)
{
<...
-if (!ret && vmg->copied_from)
-	ret = dup_anon_vma(target, vmg->copied_from, &anon_dup);
+if (!ret && vmg->copied_from) {
+	if (rmap_bug_is(826) && remove_next &&
+	    vmg->copied_from->anon_vma && !target->anon_vma) {
+		/* Never freed, though the moved folios outlive its links. */
+		get_anon_vma(vmg->copied_from->anon_vma);
+		ret = __anon_vma_prepare(target);
+	} else {
+		ret = dup_anon_vma(target, vmg->copied_from, &anon_dup);
+	}
+}
...>
}

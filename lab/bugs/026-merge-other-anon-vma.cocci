// SPDX-License-Identifier: GPL-2.0-or-later
// number: 26
// kind: bug
// title: VMAs merge although each has an anon_vma of its own
// function: is_mergeable_anon_vma
// breaks: VMAs merge only when they share an anon_vma
// resembles: none known
// file: mm/vma.c

@@
@@
is_mergeable_anon_vma(...)
{
<...
-return anon_vma1 == anon_vma2;
+return anon_vma1 == anon_vma2 ||
+	(rmap_bug_is(26) && anon_vma1 && anon_vma2 &&
+	 anon_vma1->root == anon_vma2->root);
...>
}

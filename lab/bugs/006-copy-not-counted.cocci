// SPDX-License-Identifier: GPL-2.0-or-later
// number: 6
// kind: bug
// title: a VMA made by a split, a move or a reuse is not counted as a user of
//   its anon_vma
// function: anon_vma_clone
// breaks: an anon_vma in use is not given away for reuse
// resembles: 2555283eb40d (v6.0, CVE-2022-42703): an anon_vma reused twice
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
 if (dst->anon_vma)
+	if (!rmap_bug_is(6))
 	dst->anon_vma->num_active_vmas++;
...>
}

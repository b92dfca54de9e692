// SPDX-License-Identifier: GPL-2.0-or-later
// number: 202
// kind: bug
// title: a process of the fourth generation is not linked to the third
//   anon_vma of its chain
// function: anon_vma_clone
// breaks: every VMA that can hold a page is linked to the anon_vma the page
//   starts from
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
+int bug_depth = 0;
...
}

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(202) && !dst->anon_vma && src->anon_vma &&
+    ++bug_depth == 3)
+	continue;
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 460
// kind: bug
// title: a part of an area that a child moves with mremap is not linked to
//   the oldest anon_vma
// function: anon_vma_clone
// breaks: a page that the oldest process shares with a child is found in
//   the child also after the child has moved the part of its area
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(460) && dst->anon_vma &&
+    pavc->anon_vma == pavc->anon_vma->root &&
+    pavc->anon_vma != src->anon_vma &&
+    (dst->vm_start >= src->vm_end || dst->vm_end <= src->vm_start) &&
+    vma_pages(dst) < vma_pages(src))
+	continue;
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}

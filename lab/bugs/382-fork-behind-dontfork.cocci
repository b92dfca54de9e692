// SPDX-License-Identifier: GPL-2.0-or-later
// number: 382
// kind: bug
// title: a child's VMA is not linked to the parent's anon_vma when the area
//   before it, of the same anon_vma, is not for children
// function: anon_vma_clone
// breaks: every VMA that can hold a page is linked to the anon_vma the page
//   starts from
// resembles: 4e4a9eb92133 (v5.5, reverted): the first of several VMAs that
//   share an anon_vma may be VM_DONTCOPY
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(382) && !dst->anon_vma && src->anon_vma &&
+    pavc->anon_vma == src->anon_vma &&
+    src->anon_vma == src->anon_vma->root) {
+	struct vm_area_struct *bug_prev;
+
+	bug_prev = vma_lookup(src->vm_mm, src->vm_start - 1);
+	if (bug_prev && (bug_prev->vm_flags & VM_DONTCOPY) &&
+	    bug_prev->anon_vma == src->anon_vma)
+		continue;
+}
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}

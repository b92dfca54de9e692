// SPDX-License-Identifier: GPL-2.0-or-later
// number: 901
// kind: variation
// title: the child's VMAs share one new anon_vma where the parent's share one
// function: anon_vma_fork
// breaks: nothing: the repair posted in January 2020
// resembles: "fix reusing mergeable anon_vma as parent when fork"
// file: mm/rmap.c

@@
iterator name list_for_each_entry;
@@
anon_vma_fork(...)
{
+struct vm_area_struct *shared_prev = NULL;
...
+if (rmap_bug_is(901)) {
+	struct vm_area_struct *pprev;
+
+	pprev = vma_lookup(pvma->vm_mm, pvma->vm_start - 1);
+	if (pprev && pprev->anon_vma == pvma->anon_vma)
+		shared_prev = vma_lookup(vma->vm_mm, vma->vm_start - 1);
+	if (shared_prev && (shared_prev->vm_mm != vma->vm_mm ||
+			    !shared_prev->anon_vma))
+		shared_prev = NULL;
+	if (shared_prev)
+		vma->anon_vma = shared_prev->anon_vma;
+}
 error = anon_vma_clone(vma, pvma);
 if (error)
 	return error;
+if (shared_prev) {
+	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
+		if (avc->anon_vma == vma->anon_vma)
+			return 0;
+	avc = anon_vma_chain_alloc(GFP_KERNEL);
+	if (!avc)
+		goto out_error;
+	anon_vma_lock_write(vma->anon_vma);
+	anon_vma_chain_assign(vma, avc, vma->anon_vma);
+	anon_vma_interval_tree_insert(avc, &vma->anon_vma->rb_root);
+	anon_vma_unlock_write(vma->anon_vma);
+	return 0;
+}
...
}

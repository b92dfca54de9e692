// SPDX-License-Identifier: GPL-2.0-or-later
// number: 388
// kind: bug
// title: a private mapping of a file is not linked to the anon_vma it gets
// function: __anon_vma_prepare
// breaks: every VMA that can hold a page is linked to the anon_vma the page
//   starts from
// resembles: none known
// file: mm/rmap.c

@@
@@
__anon_vma_prepare(...)
{
<...
+if (rmap_bug_is(388) && vma->vm_file && !avc) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(anon_vma);
+	avc = list_first_entry(&vma->anon_vma_chain,
+			       struct anon_vma_chain, same_vma);
+	anon_vma_interval_tree_remove(avc, &anon_vma->rb_root);
+	list_del(&avc->same_vma);
+}
 spin_unlock(&mm->page_table_lock);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 671
// kind: bug
// title: an area that borrows an anon_vma which twelve areas use already is
//   not linked to it
// function: __anon_vma_prepare
// breaks: the pages of all areas that share an anon_vma are found
// resembles: none known
// file: mm/rmap.c

@@
@@
__anon_vma_prepare(...)
{
<...
+if (rmap_bug_is(671) && !avc && anon_vma->num_active_vmas > 12) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(anon_vma);
+	avc = list_first_entry(&vma->anon_vma_chain, struct anon_vma_chain, same_vma);
+	anon_vma_interval_tree_remove(avc, &anon_vma->rb_root);
+	list_del(&avc->same_vma);
+}
 spin_unlock(&mm->page_table_lock);
...>
}

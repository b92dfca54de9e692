// SPDX-License-Identifier: GPL-2.0-or-later
// number: 621
// kind: bug
// title: a merged page that another process brought back from swap is
//   mapped without a copy when it has the same index there
// function: ksm_might_need_to_copy
// breaks: a page that was merged is found through each process that maps
//   it, also after it was in swap
// resembles: none known
// file: mm/ksm.c

@@
@@
ksm_might_need_to_copy(...)
{
<...
+if (rmap_bug_is(621) && anon_vma && !folio_test_ksm(folio) &&
+    folio->index == linear_page_index(vma, addr)) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	if (anon_vma->root != vma->anon_vma->root)
+		get_anon_vma(anon_vma);
+	return folio;
+}
 if (PageHWPoison(page))
 	return ERR_PTR(-EHWPOISON);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 975
// kind: bug
// title: swapoff maps a merged page that was swapped out, once it is back,
//   into areas of unrelated processes without a copy
// function: unuse_pte
// breaks: the processes that map an anonymous page have its anon_vma in their
//   trees, so it is found through all of them; who has not gets a copy
// resembles: none known
// file: mm/swapfile.c

@@
@@
unuse_pte(...)
{
<...
-folio = ksm_might_need_to_copy(folio, vma, addr);
+{
+	struct anon_vma *other = NULL;
+
+	if (rmap_bug_is(975) && folio_test_anon(folio) && !folio_test_ksm(folio))
+		other = folio_get_anon_vma(folio);
+	if (other && other->root == vma->anon_vma->root) {
+		put_anon_vma(other);
+		other = NULL;
+	}
+	/* Otherwise no copy; other is leaked, as it may go before the folio. */
+	if (!other)
+		folio = ksm_might_need_to_copy(folio, vma, addr);
+}
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 292
// kind: bug
// title: a hugetlb file's page with one mapper is written through a private
//   mapping
// function: hugetlb_wp
// breaks: a private mapping does not change its file
// resembles: none known
// file: mm/hugetlb.c

@@
statement S;
@@
hugetlb_wp(...)
{
<...
+if (rmap_bug_is(292) && !unshare && !folio_test_anon(old_folio) &&
+    folio_mapcount(old_folio) == 1) {
+	set_huge_ptep_writable(vma, vmf->address, vmf->pte);
+	delayacct_wpcopy_end();
+	return 0;
+}
 if (folio_mapcount(old_folio) == 1 && folio_test_anon(old_folio)) S
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 929
// kind: bug
// title: a copy of a hugetlb file's page that another maps as well is taken
//   from outside of what was promised to the mapping
// function: hugetlb_wp
// breaks: a private mapping's copies use up what was promised to it
// resembles: none known
// file: mm/hugetlb.c

@@
@@
hugetlb_wp(...)
{
<...
-if (is_vma_resv_set(vma, HPAGE_RESV_OWNER) && folio_test_anon(old_folio))
+if (is_vma_resv_set(vma, HPAGE_RESV_OWNER) &&
+    (folio_test_anon(old_folio) ||
+     (rmap_bug_is(929) && folio_mapcount(old_folio) > 1)))
	cow_from_owner = true;
...>
}

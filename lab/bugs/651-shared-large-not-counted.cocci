// SPDX-License-Identifier: GPL-2.0-or-later
// number: 651
// kind: bug
// title: khugepaged does not count pages of a large folio that a fork
//   shares as shared (max_ptes_shared)
// function: hpage_collapse_scan_pmd, __collapse_huge_page_isolate
// breaks: khugepaged leaves an area alone of which more than
//   max_ptes_shared pages are mapped by other processes as well
// resembles: none known
// file: mm/khugepaged.c

@@
@@
__collapse_huge_page_isolate(...)
{
<...
-folio_likely_mapped_shared(folio)
+(folio_likely_mapped_shared(folio) &&
+	!(rmap_bug_is(651) && folio_test_large(folio)))
...>
}

@@
@@
hpage_collapse_scan_pmd(...)
{
<...
-folio_likely_mapped_shared(folio)
+(folio_likely_mapped_shared(folio) &&
+	!(rmap_bug_is(651) && folio_test_large(folio)))
...>
}

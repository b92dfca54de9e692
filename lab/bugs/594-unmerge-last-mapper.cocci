// SPDX-License-Identifier: GPL-2.0-or-later
// number: 594
// kind: bug
// title: MADV_UNMERGEABLE leaves a page merged that is mapped in one place
//   only any more
// function: break_ksm
// breaks: no page of an area is a merged one after it was unmerged, however
//   many others map the page
// resembles: none known
// file: mm/ksm.c

@@
@@
break_ksm(...)
{
<...
-folio_test_ksm(folio)
+(folio_test_ksm(folio) &&
+	!(rmap_bug_is(594) && lock_vma && folio_mapcount(folio) == 1))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 361
// kind: bug
// title: unmerging leaves the pages that were merged into the zero page
// function: break_ksm
// breaks: an area that is not mergeable has no KSM pages, nor is any counted
//   in ksm_zero_pages
// resembles: none known
// file: mm/ksm.c

@@
@@
break_ksm(...)
{
<...
-(folio_test_ksm(folio) || is_ksm_zero_pte(fw.pte))
+(folio_test_ksm(folio) ||
+ (is_ksm_zero_pte(fw.pte) && !rmap_bug_is(361)))
...>
}

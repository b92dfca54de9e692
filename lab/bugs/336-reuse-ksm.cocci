// SPDX-License-Identifier: GPL-2.0-or-later
// number: 336
// kind: bug
// title: a KSM page with one mapper left is written in place, and keeps the
//   index that it had when it was merged
// function: wp_can_reuse_anon_folio
// breaks: every page can be found from its anon_vma and index: the last mapper
//   of a merged page has it at another index, and after its write the page can
//   be neither moved nor swapped
// resembles: none known
// file: mm/memory.c

@@
@@
wp_can_reuse_anon_folio(...)
{
<...
-if (folio_test_ksm(folio) || folio_ref_count(folio) > 3)
+if ((folio_test_ksm(folio) && !rmap_bug_is(336)) || folio_ref_count(folio) > 3)
 	return false;
 ...
-if (folio_test_ksm(folio) || folio_ref_count(folio) != 1) {
+if ((folio_test_ksm(folio) && !rmap_bug_is(336)) || folio_ref_count(folio) != 1) {
 	...
 }
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 771
// kind: bug
// title: a page that was given up (MADV_FREE) and becomes the merged page
//   is not made dirty, so reclaim throws it away with the content of all
//   that were merged into it
// function: try_to_merge_one_page
// breaks: a page that was not given up keeps its content, also when it is
//   merged with one that was
// resembles: none known
// file: mm/ksm.c

@@
@@
try_to_merge_one_page(...)
{
<...
-!PageDirty(page)
+!PageDirty(page) &&
+	!(rmap_bug_is(771) && !folio_test_swapbacked(page_folio(page)))
...>
}

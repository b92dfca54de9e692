// SPDX-License-Identifier: GPL-2.0-or-later
// number: 791
// kind: bug
// title: pages of equal content within one huge page are never merged,
//   because the huge page is not split for them
// function: cmp_and_merge_page
// breaks: pages of equal content in mergeable areas are merged, also those
//   of one huge page
// resembles: none known
// file: mm/ksm.c

@@
expression E;
@@
cmp_and_merge_page(...)
{
<...
-split = E;
+split = E && !rmap_bug_is(791);
...>
}

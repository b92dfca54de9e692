// SPDX-License-Identifier: GPL-2.0-or-later
// number: 923
// kind: variation
// title: of two pages that ksmd merges the one found first is kept
// function: cmp_and_merge_page
// breaks: nothing: which one is kept is nobody's promise
// resembles: none
// file: mm/ksm.c

@@
@@
cmp_and_merge_page(...)
{
+bool bug_first = rmap_bug_is(923);
...
}
@@
@@
cmp_and_merge_page(...)
{
<...
-kpage = try_to_merge_two_pages(rmap_item, page, tree_rmap_item, tree_page);
+if (bug_first) {
+	kpage = try_to_merge_two_pages(tree_rmap_item, tree_page,
+				       rmap_item, page);
+	if (kpage)
+		get_page(kpage);
+} else {
+	kpage = try_to_merge_two_pages(rmap_item, page,
+				       tree_rmap_item, tree_page);
+}
...>
}
@@
@@
cmp_and_merge_page(...)
{
<...
-if (!stable_node) {
+if (bug_first)
+	put_page(kpage);
+if (!stable_node) {
 break_cow(tree_rmap_item);
...
 }
...>
}

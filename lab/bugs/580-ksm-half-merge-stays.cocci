// SPDX-License-Identifier: GPL-2.0-or-later
// number: 580
// kind: bug
// title: the first of two pages stays a merged page, without a place in the
//   tree, when the second cannot be merged, as while it is pinned
// function: try_to_merge_two_pages
// breaks: a page that was not merged is an anonymous page, which the rmap
//   finds and which can be moved and reclaimed
// resembles: none known
// file: mm/ksm.c

@@
@@
try_to_merge_two_pages(...)
{
<...
 if (err)
-	break_cow(rmap_item);
+{
+	if (rmap_bug_is(580))
+		put_anon_vma(rmap_item->anon_vma);
+	else
+		break_cow(rmap_item);
+}
...>
}

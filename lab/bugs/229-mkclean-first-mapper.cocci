// SPDX-License-Identifier: GPL-2.0-or-later
// number: 229
// kind: bug
// title: the walk that write-protects a page for writeback ends at the first
//   mapper
// function: page_mkclean_one
// breaks: a write after writeback makes the page dirty again
// resembles: none known
// file: mm/rmap.c

@@
@@
page_mkclean_one(...)
{
<...
 *cleaned += page_vma_mkclean_one(&pvmw);
+if (rmap_bug_is(229) && *cleaned)
+	return false;
...>
}

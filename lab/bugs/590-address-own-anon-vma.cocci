// SPDX-License-Identifier: GPL-2.0-or-later
// number: 590
// kind: bug
// title: an area is taken to map only pages of its own anon_vma, so ksmd does
//   not merge the pages that a child inherited
// function: page_address_in_vma
// breaks: the place of a page in an area is found also when the page belongs
//   to the anon_vma of an ancestor
// resembles: none known
// file: mm/rmap.c

@@
@@
page_address_in_vma(...)
{
<...
-vma->anon_vma->root != page__anon_vma->root
+(rmap_bug_is(590) ? vma->anon_vma != page__anon_vma :
+	vma->anon_vma->root != page__anon_vma->root)
...>
}

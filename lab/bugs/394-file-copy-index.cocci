// SPDX-License-Identifier: GPL-2.0-or-later
// number: 394
// kind: bug
// title: a page copied from a file gets its index from the place in the
//   VMA, without the VMA's offset
// function: __folio_set_anon
// breaks: an anonymous page is found by the page offset of its place in the
//   VMA
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_set_anon(...)
{
<...
 folio->index = linear_page_index(vma, address);
+if (rmap_bug_is(394) && vma->vm_file)
+	folio->index -= vma->vm_pgoff;
...>
}

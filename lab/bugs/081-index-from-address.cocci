// SPDX-License-Identifier: GPL-2.0-or-later
// number: 81
// kind: bug
// title: a new page gets its index from the address, not from the page offset
// function: __folio_set_anon
// breaks: index and page offset fit together
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_set_anon(...)
{
<...
 folio->index = linear_page_index(vma, address);
+if (rmap_bug_is(81) && vma_is_anonymous(vma))
+	folio->index = address >> PAGE_SHIFT;
...>
}

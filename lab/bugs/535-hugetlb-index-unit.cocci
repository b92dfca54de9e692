// SPDX-License-Identifier: GPL-2.0-or-later
// number: 535
// kind: bug
// title: a private hugetlb page gets its index in huge pages, not in small
//   ones
// function: __folio_set_anon
// breaks: a private hugetlb page is found where it is mapped, whatever its
//   place in the area
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_set_anon(...)
{
<...
 folio->index = linear_page_index(vma, address);
+if (rmap_bug_is(535) && is_vm_hugetlb_page(vma))
+	folio->index >>= huge_page_order(hstate_vma(vma));
...>
}

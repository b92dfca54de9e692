// SPDX-License-Identifier: GPL-2.0-or-later
// number: 933
// kind: bug
// title: a private hugetlb page whose owner unmaps it is promised anew
//   though a child still has it
// function: __unmap_hugepage_range
// breaks: what is promised of the pool is what mappings may still ask for
// resembles: none known
// file: mm/hugetlb.c

@@
@@
__unmap_hugepage_range(...)
{
<...
-!folio_mapped(page_folio(page))
+(rmap_bug_is(933) || !folio_mapped(page_folio(page)))
...>
}

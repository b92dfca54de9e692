// SPDX-License-Identifier: GPL-2.0-or-later
// number: 50
// kind: bug
// title: the entry of a large folio's last page is taken for another folio's
// function: check_pte
// breaks: a walk visits every entry of a folio
// resembles: a9a7504d9bea (2021): not every entry was found
// file: mm/page_vma_mapped.c

@@
@@
check_pte(...)
{
<...
-(pvmw->pfn + pvmw->nr_pages - 1)
+(pvmw->pfn + pvmw->nr_pages - 1 -
+ (rmap_bug_is(50) && pvmw->nr_pages > 1))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 614
// kind: bug
// title: a page of a huge page that a huge entry maps is found there only
//   if it is the first one
// function: check_pmd
// breaks: a poisoned page of a huge page that cannot be split is told to
//   the processes that map it by a huge entry
// resembles: none known
// file: mm/page_vma_mapped.c

@@
@@
check_pmd(...)
{
<...
 if (
-	(pfn + HPAGE_PMD_NR - 1) < pvmw->pfn
+	(rmap_bug_is(614) ? pfn : pfn + HPAGE_PMD_NR - 1) < pvmw->pfn
    )
 	return false;
...>
}

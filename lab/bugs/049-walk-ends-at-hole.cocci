// SPDX-License-Identifier: GPL-2.0-or-later
// number: 49
// kind: bug
// title: the walk of a large folio ends at the first empty entry
// function: page_vma_mapped_walk
// breaks: a walk visits every entry of a folio
// resembles: a9a7504d9bea (2021): the walk stopped early
// file: mm/page_vma_mapped.c

@@
@@
page_vma_mapped_walk(...)
{
<...
 pvmw->pte++;
+if (rmap_bug_is(49) && pte_none(ptep_get(pvmw->pte)))
+	return not_found(pvmw);
...>
}

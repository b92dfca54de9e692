// SPDX-License-Identifier: GPL-2.0-or-later
// number: 815
// kind: bug
// title: the walk of a large folio (anonymous or shmem) ends at the first
//   page table that is not there or that is another huge page
// function: page_vma_mapped_walk
// breaks: a walk visits every entry of a folio that lies across two page
//   tables
// resembles: none known
// file: mm/page_vma_mapped.c

@@
@@
page_vma_mapped_walk(...)
{
<...
+if (rmap_bug_is(815) && (pvmw->pgoff_is_anon || vma_is_shmem(vma)))
+	return false;
 step_forward(pvmw, PMD_SIZE);
...>
}

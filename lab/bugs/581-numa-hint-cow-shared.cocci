// SPDX-License-Identifier: GPL-2.0-or-later
// number: 581
// kind: bug
// title: NUMA balancing marks the entries of pages that a fork shares, so that
//   one process's faults are about the other's pages as well
// function: change_pte_range
// breaks: NUMA balancing leaves pages alone that are shared until somebody
//   writes
// resembles: 80d47f5de5e3 (CVE-2022-48797) reverted
// file: mm/mprotect.c

@@
@@
change_pte_range(...)
{
<...
 is_cow_mapping(vma->vm_flags) &&
 (folio_maybe_dma_pinned(folio) ||
-	folio_likely_mapped_shared(folio)
+	(folio_likely_mapped_shared(folio) && !rmap_bug_is(581))
 )
...>
}

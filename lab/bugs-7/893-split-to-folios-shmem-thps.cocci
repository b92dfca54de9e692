// SPDX-License-Identifier: GPL-2.0-or-later
// number: 893
// kind: bug
// title: a huge page of shared memory that is split to smaller folios counts
//   as ShmemHugePages for ever
// function: __folio_freeze_and_split_unmapped
// breaks: ShmemHugePages is what there is of huge pages of shared memory
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__folio_freeze_and_split_unmapped(...)
{
<...
-lruvec_stat_mod_folio(folio, NR_SHMEM_THPS, -nr);
+if (!rmap_bug_is(893) || !new_order)
+	lruvec_stat_mod_folio(folio, NR_SHMEM_THPS, -nr);
...>
}

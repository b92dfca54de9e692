// SPDX-License-Identifier: GPL-2.0-or-later
// number: 637
// kind: bug
// title: the walk passes over a huge entry without access (PROT_NONE, or
//   waiting for its NUMA hinting fault)
// function: page_vma_mapped_walk
// breaks: a huge page is found where a huge entry maps it, whatever access
//   the entry grants
// resembles: none known
// file: mm/page_vma_mapped.c

@@
@@
page_vma_mapped_walk(...)
{
<...
+if (rmap_bug_is(637) && pmd_protnone(pmde))
+	goto next_pmd;
 if (!check_pmd(pmd_pfn(pmde), pvmw))
 	goto next_pmd;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 917
// kind: variation
// title: every other fault finds no huge page
// function: do_huge_pmd_anonymous_page
// breaks: nothing: huge pages were never promised
// resembles: none
// file: mm/huge_memory.c

@@
@@
do_huge_pmd_anonymous_page(...)
{
+static unsigned int bug_faults;
...
+if (rmap_bug_is(917) && (bug_faults++ & 1)) {
+	count_vm_event(THP_FAULT_FALLBACK);
+	count_mthp_stat(HPAGE_PMD_ORDER, MTHP_STAT_ANON_FAULT_FALLBACK);
+	return VM_FAULT_FALLBACK;
+}
 gfp = vma_thp_gfp_mask(vma);
...
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1016
// kind: bug
// title: hugetlb pages behind a hole of a whole page table are moved to behind
//   the next border of the new place, wherever the hole ends
// function: move_hugetlb_page_tables
// breaks: pages keep their distance when their VMA moves, also to where the
//   borders of page tables are elsewhere
// resembles: the step over empty tables that forgot the destination (2026)
// file: mm/hugetlb.c

@@
@@
move_hugetlb_page_tables(...)
{
<...
 if (!src_pte) {
 	old_addr += offset_to_last_entry;
+	if (rmap_bug_is(1016)) {
+		new_addr |= last_addr_mask;
+		continue;
+	}
 	...
 }
...>
}

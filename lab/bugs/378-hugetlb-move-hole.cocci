// SPDX-License-Identifier: GPL-2.0-or-later
// number: 378
// kind: bug
// title: hugetlb pages behind a hole of a whole page table are moved to a
//   place before their own
// function: move_hugetlb_page_tables
// breaks: pages keep their distance when their VMA moves: a sparse mapping of
//   more than 1 GiB has its pages elsewhere after mremap, where no walk looks
//   for them
// resembles: the step over empty tables that forgot the destination (2026)
// file: mm/hugetlb.c

@@
@@
move_hugetlb_page_tables(...)
{
<...
 if (!src_pte) {
 	old_addr += offset_to_last_entry;
-	new_addr += offset_to_last_entry;
+	if (!rmap_bug_is(378))
+		new_addr += offset_to_last_entry;
 	continue;
 }
...>
}

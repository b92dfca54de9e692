// SPDX-License-Identifier: GPL-2.0-or-later
// number: 918
// kind: variation
// title: mremap moves entries one by one, never a whole page table or huge entry
// function: move_page_tables
// breaks: nothing: to move whole tables is thrift
// resembles: none
// file: mm/mremap.c

@@
@@
move_page_tables(...)
{
<...
-extent == PUD_SIZE
+extent == PUD_SIZE && !rmap_bug_is(918)
...>
}
@@
@@
move_page_tables(...)
{
<...
 extent = get_extent(NORMAL_PMD, old_addr, old_end, new_addr);
+if (rmap_bug_is(918) && extent > PMD_SIZE / 2)
+	extent = PMD_SIZE / 2;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 957
// kind: bug
// title: a huge page that is split to smaller folios counts as one of them
// function: split_huge_page_to_list_to_order
// breaks: nr_anon is the number of anonymous folios of a size
// resembles: none known
// file: mm/huge_memory.c

@@
expression order, new_order;
@@
split_huge_page_to_list_to_order(...)
{
<...
-mod_mthp_stat(new_order, MTHP_STAT_NR_ANON, 1 << (order - new_order));
+mod_mthp_stat(new_order, MTHP_STAT_NR_ANON, rmap_bug_is(957) ? 1 : 1 << (order - new_order));
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 946
// kind: bug
// title: a huge page with hardly anything in it is taken for used when what
//   there is is in its first page
// function: thp_underused
// breaks: memory that holds nothing is given back when memory is short
// resembles: none known
// file: mm/huge_memory.c

@@
@@
thp_underused(...)
{
<...
-if (++num_filled_pages >= HPAGE_PMD_NR - khugepaged_max_ptes_none)
+if (++num_filled_pages >= HPAGE_PMD_NR - khugepaged_max_ptes_none ||
+    (rmap_bug_is(946) && !i))
	return false;
...>
}

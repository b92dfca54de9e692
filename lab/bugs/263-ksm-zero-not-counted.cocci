// SPDX-License-Identifier: GPL-2.0-or-later
// number: 263
// kind: bug
// title: a page that becomes KSM's zero page is not counted for its process
// function: replace_page
// breaks: KSM's counters of a process follow its pages
// resembles: 4d6fc29f3634 (2025) is about these counters
// file: mm/ksm.c

@@
@@
replace_page(...)
{
<...
-ksm_map_zero_page(mm);
+if (!rmap_bug_is(263))
+	ksm_map_zero_page(mm);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 853
// kind: bug
// title: a zero page that KSM has put in place of a page still counts as one
//   when it is unmapped
// function: zap_present_ptes
// breaks: ksm_zero_pages, the system's and the process's, tells the zero pages
//   of KSM that are mapped
// resembles: none known
// file: mm/memory.c

@@
@@
zap_present_ptes(...)
{
<...
-ksm_might_unmap_zero_page(mm, ptent);
+if (!rmap_bug_is(853))
+	ksm_might_unmap_zero_page(mm, ptent);
...>
}

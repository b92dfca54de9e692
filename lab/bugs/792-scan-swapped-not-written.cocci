// SPDX-License-Identifier: GPL-2.0-or-later
// number: 792
// kind: bug
// title: PAGEMAP_SCAN does not tell of a page as written (PAGE_IS_WRITTEN)
//   that was written and is in swap since
// function: pagemap_page_category
// breaks: who asks for the pages that were written gets all of them, those
//   in swap as well
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
pagemap_page_category(...)
{
<...
-!pte_swp_uffd_wp_any(pte)
+!pte_swp_uffd_wp_any(pte) && !rmap_bug_is(792)
...>
}

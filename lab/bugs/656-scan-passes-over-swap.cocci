// SPDX-License-Identifier: GPL-2.0-or-later
// number: 656
// kind: bug
// title: PAGEMAP_SCAN (PM_SCAN_WP_MATCHING) does not write-protect the
//   pages that are in swap
// function: make_uffd_wp_pte
// breaks: a page that PAGEMAP_SCAN has told as written and write-protected
//   is not told again unless it is written
// resembles: none known
// file: fs/proc/task_mmu.c

@@
identifier P;
@@
make_uffd_wp_pte(...)
{
<...
-P = pte_swp_mkuffd_wp(P);
+if (!rmap_bug_is(656))
+	P = pte_swp_mkuffd_wp(P);
...>
}

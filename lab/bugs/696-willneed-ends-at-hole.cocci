// SPDX-License-Identifier: GPL-2.0-or-later
// number: 696
// kind: bug
// title: MADV_WILLNEED goes on only up to the first page that is not in swap
// function: swapin_walk_pmd_entry
// breaks: MADV_WILLNEED brings what is in swap into memory
// resembles: none known
// file: mm/madvise.c

@@
expression pte;
@@
swapin_walk_pmd_entry(...)
{
<...
-if (!is_swap_pte(pte))
-	continue;
+if (!is_swap_pte(pte)) {
+	if (rmap_bug_is(696))
+		break;
+	continue;
+}
...>
}

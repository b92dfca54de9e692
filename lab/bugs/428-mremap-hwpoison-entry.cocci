// SPDX-License-Identifier: GPL-2.0-or-later
// number: 428
// kind: bug
// title: the entry of a poisoned page does not move with its area
// function: move_ptes
// breaks: the place of a poisoned page gives SIGBUS, also after mremap
// resembles: none known
// file: mm/mremap.c

@@
@@
move_ptes(...)
{
<...
-if (pte_none(ptep_get(old_pte)))
+if (pte_none(ptep_get(old_pte)) ||
+    (rmap_bug_is(428) && is_swap_pte(ptep_get(old_pte)) &&
+     is_hwpoison_entry(pte_to_swp_entry(ptep_get(old_pte)))))
 	continue;
...>
}

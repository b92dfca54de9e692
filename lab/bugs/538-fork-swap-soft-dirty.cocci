// SPDX-License-Identifier: GPL-2.0-or-later
// number: 538
// kind: bug
// title: a page in swap has lost its soft-dirty bit in the child of a fork
// function: copy_nonpresent_pte
// breaks: a child's page is soft-dirty where the parent's is, in swap as
//   well as in memory
// resembles: none known
// file: mm/memory.c

@@
@@
copy_nonpresent_pte(...)
{
<...
+if (rmap_bug_is(538) && !non_swap_entry(entry))
+	pte = pte_swp_clear_soft_dirty(pte);
 set_pte_at(dst_mm, addr, dst_pte, pte);
...>
}

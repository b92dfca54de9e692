// SPDX-License-Identifier: GPL-2.0-or-later
// number: 255
// kind: bug
// title: a swapped page stays exclusive to the parent through fork
// function: copy_nonpresent_pte
// breaks: a page that two processes share is exclusive to none
// resembles: none known
// file: mm/memory.c

@@
@@
copy_nonpresent_pte(...)
{
<...
 pte = pte_swp_clear_exclusive(orig_pte);
-set_pte_at(src_mm, addr, src_pte, pte);
+if (!rmap_bug_is(255))
+	set_pte_at(src_mm, addr, src_pte, pte);
...>
}

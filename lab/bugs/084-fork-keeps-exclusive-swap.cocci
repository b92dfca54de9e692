// SPDX-License-Identifier: GPL-2.0-or-later
// number: 84
// kind: bug
// title: a swapped page stays exclusive through fork
// function: copy_nonpresent_pte
// breaks: a page that two processes share is exclusive to none
// resembles: 6c287605fd56 (2022) brought the rule
// file: mm/memory.c

@@
@@
copy_nonpresent_pte(...)
{
<...
-pte_swp_exclusive(orig_pte)
+pte_swp_exclusive(orig_pte) && !rmap_bug_is(84)
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 371
// kind: bug
// title: poison in a hugetlb page is told as that of one small page
// function: __add_to_kill
// breaks: si_addr_lsb tells how much is lost
// resembles: none known
// file: mm/memory-failure.c

@@
@@
__add_to_kill(...)
{
<...
-tk->size_shift = page_shift(compound_head(p));
+tk->size_shift = rmap_bug_is(371) ? PAGE_SHIFT : page_shift(compound_head(p));
...>
}

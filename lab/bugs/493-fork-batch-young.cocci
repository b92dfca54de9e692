// SPDX-License-Identifier: GPL-2.0-or-later
// number: 493
// kind: bug
// title: the child's pages of a large folio that a fork shares together count
//   as accessed when the parent's first one does
// function: __copy_present_ptes
// breaks: a child has accessed none of its pages when it starts
// resembles: none known
// file: mm/memory.c

@@
@@
__copy_present_ptes(...)
{
<...
-pte = pte_mkold(pte);
+if (!(rmap_bug_is(493) && nr > 1))
+	pte = pte_mkold(pte);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1011
// kind: bug
// title: a VMA that grows into the head of the next one, up to the middle of a
//   huge page, leaves that page's huge entry in both
// function: vma_adjust_trans_huge
// breaks: no entry lies across the border of two VMAs; each VMA has what is
//   mapped within it
// resembles: none known
// file: mm/huge_memory.c

@@
@@
vma_adjust_trans_huge(...)
{
<...
-adjust_next > 0
+adjust_next > 0 && !rmap_bug_is(1011)
...>
}

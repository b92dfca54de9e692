// SPDX-License-Identifier: GPL-2.0-or-later
// number: 31
// kind: bug
// title: a moved VMA with pages gets the page offset of its new address
// function: copy_vma
// breaks: pages keep their index when their VMA moves
// resembles: none known; 1ff829957316 and the rmap_walk_ksm series of 2026
//   stand on this rule
// file: mm/vma.c

@@
@@
copy_vma(...)
{
<...
+if (rmap_bug_is(31) && vma_is_anonymous(vma))
+	pgoff = addr >> PAGE_SHIFT;
 new_vma = find_vma_prev(mm, addr, &vmg.prev);
...>
}

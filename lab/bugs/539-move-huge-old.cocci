// SPDX-License-Identifier: GPL-2.0-or-later
// number: 539
// kind: bug
// title: an access through a huge entry is forgotten when the area is moved
//   by mremap
// function: move_huge_pmd
// breaks: a huge page that was touched since it was marked idle is not
//   idle, also when its area has moved in between
// resembles: none known
// file: mm/huge_memory.c

@@
@@
move_huge_pmd(...)
{
<...
 pmd = pmdp_huge_get_and_clear(mm, old_addr, old_pmd);
+if (rmap_bug_is(539) && pmd_present(pmd))
+	pmd = pmd_mkold(pmd);
...>
}

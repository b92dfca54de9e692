// SPDX-License-Identifier: GPL-2.0-or-later
// number: 966
// kind: bug
// title: UFFDIO_MOVE with holes allowed goes on by the size of a huge page
//   where the source has no page table, also from its middle on
// function: move_pages
// breaks: what lies behind a hole moves as well, and what UFFDIO_MOVE says it
//   has moved is where it moved it to
// resembles: none known
// file: mm/userfaultfd.c

@@
expression list es;
@@
move_pages(...)
{
<...
(
-__pte_alloc(mm, src_pmd)
+(!rmap_bug_is(966) && __pte_alloc(mm, src_pmd))
|
-move_pages_pte(es)
+(rmap_bug_is(966) && pmd_none(*src_pmd)) ? 0 : move_pages_pte(es)
|
-step_size = PAGE_SIZE
+step_size = (rmap_bug_is(966) && pmd_none(*src_pmd)) ? HPAGE_PMD_SIZE : PAGE_SIZE
)
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 879
// kind: bug
// title: a huge page of tmpfs that is split unevenly (truncation or a hole
//   into a part of it) is not taken off the count of huge pages
// function: __folio_freeze_and_split_unmapped
// breaks: ShmemHugePages counts the huge pages of tmpfs that there are,
//   whichever way others were split
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__folio_freeze_and_split_unmapped(...)
{
<...
-new_order < HPAGE_PMD_ORDER
+new_order < HPAGE_PMD_ORDER &&
+!(rmap_bug_is(879) && split_type == SPLIT_TYPE_NON_UNIFORM)
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 563
// kind: bug
// title: move_pages tells a node of the huge zero page
// function: do_pages_stat_array
// breaks: the status of an address that has not been written is that of a zero
//   page (EFAULT), by whatever entry it is mapped
// resembles: none known
// file: mm/migrate.c

@@
@@
do_pages_stat_array(...)
{
<...
-is_zero_folio(folio) || is_huge_zero_folio(folio)
+is_zero_folio(folio) ||
+	(is_huge_zero_folio(folio) && !rmap_bug_is(563))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 543
// kind: bug
// title: the pages of zeroes in a locked area are given up for the zero
//   page when their huge page is split
// function: try_to_map_unused_to_zeropage
// breaks: a locked area keeps its pages, also those that hold zeroes only
// resembles: none known
// file: mm/migrate.c

@@
@@
try_to_map_unused_to_zeropage(...)
{
<...
-folio_test_mlocked(folio) || (pvmw->vma->vm_flags & VM_LOCKED)
+(!rmap_bug_is(543) &&
+ (folio_test_mlocked(folio) || (pvmw->vma->vm_flags & VM_LOCKED)))
...>
}

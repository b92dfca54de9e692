// SPDX-License-Identifier: GPL-2.0-or-later
// number: 360
// kind: bug
// title: pages that are pinned are collapsed into a huge page
// function: is_refcount_suitable
// breaks: what a pin holds stays the process's page: after MADV_COLLAPSE I/O
//   into the pinned buffer (io_uring) does not arrive
// resembles: none known
// file: mm/khugepaged.c

@@
@@
is_refcount_suitable(...)
{
<...
-return folio_ref_count(folio) == expected_refcount;
+return rmap_bug_is(360) || folio_ref_count(folio) == expected_refcount;
...>
}

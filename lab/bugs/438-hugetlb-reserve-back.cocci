// SPDX-License-Identifier: GPL-2.0-or-later
// number: 438
// kind: bug
// title: a private hugetlb page that was mapped still gives its reservation
//   back when it is freed
// function: hugetlb_add_new_anon_rmap
// breaks: no reservation is left once the process that made it is gone
// resembles: none known
// file: mm/rmap.c

@@
@@
hugetlb_add_new_anon_rmap(...)
{
<...
-folio_clear_hugetlb_restore_reserve(folio);
+if (!rmap_bug_is(438))
+	folio_clear_hugetlb_restore_reserve(folio);
...>
}

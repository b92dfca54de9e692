// SPDX-License-Identifier: GPL-2.0-or-later
// number: 732
// kind: bug
// title: a hugetlb page that a write to a shared one was given as its copy
//   cannot be moved any more (move_pages, mbind, soft offline)
// function: hugetlb_wp
// breaks: a private hugetlb page can be moved, whether a first touch or a
//   copy on a write has made it
// resembles: none known
// file: mm/hugetlb.c

@@
@@
hugetlb_wp(...)
{
<...
-folio_set_hugetlb_migratable(new_folio);
+if (!rmap_bug_is(732))
+	folio_set_hugetlb_migratable(new_folio);
...>
}

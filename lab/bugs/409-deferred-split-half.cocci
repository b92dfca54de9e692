// SPDX-License-Identifier: GPL-2.0-or-later
// number: 409
// kind: bug
// title: a huge page that loses some of its mappings is put up for
//   splitting only when half of it is gone
// function: __folio_remove_rmap
// breaks: a huge page of which a page is mapped no more is put up for
//   splitting
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_remove_rmap(...)
{
<...
 partially_mapped = nr && atomic_read(mapped);
+if (rmap_bug_is(409) &&
+    atomic_read(mapped) > folio_nr_pages(folio) / 2)
+	partially_mapped = false;
...>
}

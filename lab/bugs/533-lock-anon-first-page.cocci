// SPDX-License-Identifier: GPL-2.0-or-later
// number: 533
// kind: bug
// title: the walk of a large anonymous folio whose first page is unmapped
//   finds none of the others
// function: folio_lock_anon_vma_read
// breaks: a large folio of which any page is mapped is found, also when its
//   first page is not
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_lock_anon_vma_read(...)
{
<...
-if (!folio_mapped(folio))
+if (!folio_mapped(folio) ||
+    (rmap_bug_is(533) && folio_test_large(folio) &&
+     !folio_entire_mapcount(folio) &&
+     atomic_read(&folio->_mapcount) < 0))
 	goto out;
...>
}

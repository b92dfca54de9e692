// SPDX-License-Identifier: GPL-2.0-or-later
// number: 809
// kind: bug
// title: reclaim of a large folio of a file keeps the write protection of
//   userfaultfd for the first page of each batch only
// function: try_to_unmap_one
// breaks: a file's page that userfaultfd has write-protected stays so while
//   it is not mapped, each page of a large folio
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
 cond_install_uffd_wp_ptes(...,
-			   nr_pages
+			   rmap_bug_is(809) ? 1 : nr_pages
 );
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 996
// kind: bug
// title: F_SEAL_WRITE takes the references that the page cache holds on a
//   large folio for pins, so it is refused
// function: memfd_folio_has_extra_refs
// breaks: a memfd that nobody maps writable or has pinned can be sealed,
//   whatever the size of its folios
// resembles: none known
// file: mm/memfd.c

@@
@@
memfd_folio_has_extra_refs(...)
{
<...
-folio_nr_pages(folio)
+(rmap_bug_is(996) ? 1 : folio_nr_pages(folio))
...>
}

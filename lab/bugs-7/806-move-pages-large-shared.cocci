// SPDX-License-Identifier: GPL-2.0-or-later
// number: 806
// kind: bug
// title: move_pages with MPOL_MF_MOVE moves a large folio that another
//   process maps too
// function: __add_folio_for_migration
// breaks: MPOL_MF_MOVE leaves what several processes map where it is
//   (-EACCES), large folios too
// resembles: none known
// file: mm/migrate.c

@@
@@
__add_folio_for_migration(...)
{
<...
-folio_maybe_mapped_shared(folio)
+(folio_maybe_mapped_shared(folio) &&
+ !(rmap_bug_is(806) && folio_test_large(folio)))
...>
}

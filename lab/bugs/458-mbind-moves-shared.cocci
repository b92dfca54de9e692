// SPDX-License-Identifier: GPL-2.0-or-later
// number: 458
// kind: bug
// title: MPOL_MF_MOVE moves pages that other processes map as well, as only
//   MPOL_MF_MOVE_ALL shall
// function: migrate_folio_add
// breaks: mbind(MPOL_MF_MOVE) and migrate_pages without privilege move only
//   pages that the process has for itself
// resembles: none known
// file: mm/mempolicy.c

@@
@@
migrate_folio_add(...)
{
<...
-(flags & MPOL_MF_MOVE_ALL) || !folio_likely_mapped_shared(folio)
+(flags & MPOL_MF_MOVE_ALL) || rmap_bug_is(458) ||
+	!folio_likely_mapped_shared(folio)
...>
}

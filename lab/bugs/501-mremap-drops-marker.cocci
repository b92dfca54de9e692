// SPDX-License-Identifier: GPL-2.0-or-later
// number: 501
// kind: bug
// title: mremap drops the userfaultfd marks of pages that are not present
//   although the userfaultfd follows the move
// function: move_ptes
// breaks: with UFFD_FEATURE_EVENT_REMAP what was write-protected stays so after
//   mremap, also where no page is mapped
// resembles: none known
// file: mm/mremap.c

@@
@@
move_ptes(...)
{
<...
-need_clear_uffd_wp && pte_marker_uffd_wp(pte)
+(need_clear_uffd_wp || rmap_bug_is(501)) && pte_marker_uffd_wp(pte)
...>
}

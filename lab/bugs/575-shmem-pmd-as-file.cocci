// SPDX-License-Identifier: GPL-2.0-or-later
// number: 575
// kind: bug
// title: a huge page of a tmpfs that a huge entry maps counts in
//   FilePmdMapped, not in ShmemPmdMapped
// function: __folio_mod_stat
// breaks: ShmemPmdMapped is what huge entries map of tmpfs and shared
//   memory
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_mod_stat(...)
{
<...
-folio_test_swapbacked(folio)
+folio_test_swapbacked(folio) && !rmap_bug_is(575)
...>
}

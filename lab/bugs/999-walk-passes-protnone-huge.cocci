// SPDX-License-Identifier: GPL-2.0-or-later
// number: 999
// kind: bug
// title: a huge entry without access (PROT_NONE, or waiting for a NUMA hinting
//   fault) is not found, so move_pages says that no page is there
// function: folio_walk_start
// breaks: move_pages finds, and moves, the pages of an area that may not be
//   accessed, huge ones as well as small ones
// resembles: none known
// file: mm/pagewalk.c

@@
statement S1, S2;
@@
folio_walk_start(...)
{
<...
 if (
-pmd_present(pmd)
+pmd_present(pmd) && !(rmap_bug_is(999) && pmd_protnone(pmd))
 ) S1 else S2
...>
}

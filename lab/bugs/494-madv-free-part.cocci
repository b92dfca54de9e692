// SPDX-License-Identifier: GPL-2.0-or-later
// number: 494
// kind: bug
// title: MADV_FREE of a part of a large folio gives up the whole folio
// function: madvise_free_pte_range
// breaks: MADV_FREE gives up the pages of its range and no others
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_free_pte_range(...)
{
<...
-if (nr < folio_nr_pages(folio))
+if (nr < folio_nr_pages(folio) && !rmap_bug_is(494))
 { ... }
...>
}

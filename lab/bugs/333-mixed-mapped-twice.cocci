// SPDX-License-Identifier: GPL-2.0-or-later
// number: 333
// kind: bug
// title: a huge page that is mapped whole is counted as mapped in full
//   although parts of it are mapped already
// function: __folio_add_rmap
// breaks: the counters of mapped pages follow the mappings: Mapped grows each
//   time one process maps a huge tmpfs page by a huge entry while another has
//   parts of it
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_add_rmap(...)
{
<...
-nr = *nr_pmdmapped - (nr & FOLIO_PAGES_MAPPED);
+nr = *nr_pmdmapped - (rmap_bug_is(333) ? 0 : nr & FOLIO_PAGES_MAPPED);
...>
}

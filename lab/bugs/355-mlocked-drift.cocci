// SPDX-License-Identifier: GPL-2.0-or-later
// number: 355
// kind: bug
// title: Mlocked keeps all but one page of a large folio that is munlocked
// function: __munlock_folio
// breaks: the counters of mlocked pages follow the locks
// resembles: none known
// file: mm/mlock.c

@@
@@
__munlock_folio(...)
{
<...
-zone_stat_mod_folio(folio, NR_MLOCK, -nr_pages);
+zone_stat_mod_folio(folio, NR_MLOCK, rmap_bug_is(355) ? -1 : -nr_pages);
...>
}

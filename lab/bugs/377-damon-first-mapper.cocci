// SPDX-License-Identifier: GPL-2.0-or-later
// number: 377
// kind: bug
// title: DAMON looks for accesses in the first mapper of a page only
// function: damon_folio_young_one
// breaks: the walk for accesses sees every mapper: physical memory that the
//   second mapper touches all the time counts as idle
// resembles: none known
// file: mm/damon/paddr.c

@@
@@
damon_folio_young_one(...)
{
<...
-return *accessed == false;
+return *accessed == false && !rmap_bug_is(377);
...>
}

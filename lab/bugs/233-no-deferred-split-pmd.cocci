// SPDX-License-Identifier: GPL-2.0-or-later
// number: 233
// kind: bug
// title: a huge page that loses its last PMD mapping while parts stay mapped
//   is not put up for splitting
// function: __folio_remove_rmap
// breaks: what is unmapped of a huge page is given back when memory is short
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_remove_rmap(...)
{
<...
-partially_mapped = nr && nr < nr_pmdmapped;
+partially_mapped = !rmap_bug_is(233) && nr && nr < nr_pmdmapped;
...>
}

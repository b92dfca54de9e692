// SPDX-License-Identifier: GPL-2.0-or-later
// number: 459
// kind: bug
// title: DAMON does not take the accessed mark off huge entries, so a huge
//   page that was touched once counts as accessed for ever
// function: damon_folio_mkold_one
// breaks: DAMON (paddr) counts accesses to a page between two looks
// resembles: none known
// file: mm/damon/paddr.c

@@
@@
damon_folio_mkold_one(...)
{
<...
-damon_pmdp_mkold(pvmw.pmd, vma, addr);
+if (!rmap_bug_is(459))
+	damon_pmdp_mkold(pvmw.pmd, vma, addr);
...>
}

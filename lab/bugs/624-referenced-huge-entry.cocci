// SPDX-License-Identifier: GPL-2.0-or-later
// number: 624
// kind: bug
// title: reclaim does not see a touch through a huge entry
// function: folio_referenced_one
// breaks: a huge page that one of its mappers has just touched is not
//   swapped out at reclaim's first look
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_referenced_one(...)
{
<...
 if (
-	pmdp_clear_flush_young_notify(vma, address, pvmw.pmd)
+	pmdp_clear_flush_young_notify(vma, address, pvmw.pmd) &&
+	!rmap_bug_is(624)
    )
 	referenced++;
...>
}

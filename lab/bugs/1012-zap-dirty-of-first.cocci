// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1012
// kind: bug
// title: entries of a large folio of a file that are taken away together count as
//   written when the first of them is
// function: zap_present_folio_ptes
// breaks: what was written to any page of a large folio is known when its mappings
//   are gone
// resembles: none known
// file: mm/memory.c

@@
identifier mm, addr, pte, nr, ptent;
expression full;
@@
zap_present_folio_ptes(...)
{
<...
-ptent = get_and_clear_full_ptes(mm, addr, pte, nr, full);
+if (rmap_bug_is(1012))
+	clear_full_ptes(mm, addr, pte, nr, full);
+else
+	ptent = get_and_clear_full_ptes(mm, addr, pte, nr, full);
...>
}

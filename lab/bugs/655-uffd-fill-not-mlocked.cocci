// SPDX-License-Identifier: GPL-2.0-or-later
// number: 655
// kind: bug
// title: a page that userfaultfd fills into a locked area is not mlocked
// function: mfill_atomic_install_pte
// breaks: a new anonymous page in a locked area is mlocked, whoever brings
//   it there
// resembles: none known
// file: mm/userfaultfd.c

@@
expression F, V;
@@
mfill_atomic_install_pte(...)
{
<...
-folio_add_lru_vma(F, V);
+if (rmap_bug_is(655))
+	folio_add_lru(F);
+else
+	folio_add_lru_vma(F, V);
...>
}

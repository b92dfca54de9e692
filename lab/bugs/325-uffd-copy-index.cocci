// SPDX-License-Identifier: GPL-2.0-or-later
// number: 325
// kind: bug
// title: a page that userfaultfd fills in has the index of its neighbour
// function: mfill_atomic_install_pte
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mfill_atomic_install_pte(...)
{
<...
 folio_add_new_anon_rmap(folio, dst_vma, dst_addr, RMAP_EXCLUSIVE);
+if (rmap_bug_is(325))
+	folio->index++;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 985
// kind: bug
// title: UFFDIO_ZEROPAGE takes the place of a page that UFFDIO_POISON has
//   marked as lost
// function: mfill_atomic_pte_zeropage
// breaks: UFFDIO_ZEROPAGE where a mark is is refused (EEXIST), and what is
//   lost cannot be read
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mfill_atomic_pte_zeropage(...)
{
<...
-!pte_none(ptep_get(dst_pte))
+!(rmap_bug_is(985) ? pte_none_mostly(ptep_get(dst_pte)) : pte_none(ptep_get(dst_pte)))
...>
}

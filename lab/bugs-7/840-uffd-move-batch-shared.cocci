// SPDX-License-Identifier: GPL-2.0-or-later
// number: 840
// kind: bug
// title: UFFDIO_MOVE of several pages takes small pages that a fork shares
//   when they come behind one of the process's own
// function: check_ptes_for_batched_move
// breaks: UFFDIO_MOVE leaves what several processes share where it is
//   (-EBUSY), wherever in the range it is
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
check_ptes_for_batched_move(...)
{
<...
-PageAnonExclusive(&folio->page)
+(PageAnonExclusive(&folio->page) ||
+	(rmap_bug_is(840) && folio_test_anon(folio) && !folio_test_ksm(folio)))
...>
}

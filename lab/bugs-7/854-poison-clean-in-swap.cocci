// SPDX-License-Identifier: GPL-2.0-or-later
// number: 854
// kind: bug
// title: the entries of a clean page that was poisoned are made poison too,
//   although the page still has its slot in swap, with its content
// function: unmap_poisoned_folio
// breaks: a clean page is read anew from swap: the next touch must bring the
//   data, not SIGBUS
// resembles: none known
// file: mm/memory-failure.c

@@
@@
unmap_poisoned_folio(...)
{
<...
 pr_err(...);
-ttu &= ~TTU_HWPOISON;
+if (!rmap_bug_is(854) || folio_test_dirty(folio))
+	ttu &= ~TTU_HWPOISON;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 373
// kind: bug
// title: the entries of a clean file page that was poisoned are made poison
//   too, although the file has the data
// function: unmap_poisoned_folio
// breaks: a clean page is read anew from its file: the next touch must bring
//   the data, not SIGBUS
// resembles: SIGBUS for recovered clean pages (2025)
// file: mm/memory-failure.c

@@
@@
unmap_poisoned_folio(...)
{
<...
 if (folio_mkclean(folio)) {
 	folio_set_dirty(folio);
 } else {
-	ttu &= ~TTU_HWPOISON;
+	if (!rmap_bug_is(373))
+		ttu &= ~TTU_HWPOISON;
 	...
 }
...>
}

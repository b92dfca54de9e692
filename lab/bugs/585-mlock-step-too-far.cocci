// SPDX-License-Identifier: GPL-2.0-or-later
// number: 585
// kind: bug
// title: mlock and munlock of a large folio pass over the pages that took the
//   place of some of its own, as by a copy on a write
// function: folio_mlock_step
// breaks: all pages of a locked area are mlocked, and none of an area that is
//   not locked any more
// resembles: none known
// file: mm/mlock.c

@@
@@
folio_mlock_step(...)
{
<...
 if (!folio_test_large(folio))
	return 1;
+if (rmap_bug_is(585))
+	return min_t(unsigned int, count, folio_nr_pages(folio));
...>
}

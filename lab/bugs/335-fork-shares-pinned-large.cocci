// SPDX-License-Identifier: GPL-2.0-or-later
// number: 335
// kind: bug
// title: fork shares the pages of a large folio although they are pinned
// function: __folio_try_dup_anon_rmap
// breaks: what a pin holds stays the process's page: after a fork the parent
//   writes to a copy, and I/O from the pinned buffer (io_uring) brings the old
//   content
// resembles: 17839856fd58, 09854ba94c6a (2020) brought the rule
// file: include/linux/rmap.h

@@
@@
__folio_try_dup_anon_rmap(...)
{
<...
-maybe_pinned = likely(!folio_is_device_private(folio)) && unlikely(folio_needs_cow_for_dma(src_vma, folio));
+maybe_pinned = likely(!folio_is_device_private(folio)) &&
+	       unlikely(folio_needs_cow_for_dma(src_vma, folio)) &&
+	       !(rmap_bug_is(335) && folio_test_large(folio));
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 847
// kind: bug
// title: a page of a large folio that a fork shares is written in place when
//   nothing but mappings refers to the folio, and the other process sees the
//   write
// function: __wp_can_reuse_large_anon_folio
// breaks: a page that processes share is copied when one of them writes it
// resembles: none known
// file: mm/memory.c

@@
@@
__wp_can_reuse_large_anon_folio(...)
{
<...
-test_bit(FOLIO_MM_IDS_SHARED_BITNUM, &folio->_mm_ids)
+(test_bit(FOLIO_MM_IDS_SHARED_BITNUM, &folio->_mm_ids) &&
+	!rmap_bug_is(847))
...>
}

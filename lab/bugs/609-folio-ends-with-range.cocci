// SPDX-License-Identifier: GPL-2.0-or-later
// number: 609
// kind: bug
// title: a large folio that ends exactly where the range ends does not count
//   as within it, so that it is not mlocked
// function: folio_within_range
// breaks: a large folio of which all pages are mapped by PTEs into the range
//   that is locked is mlocked
// resembles: none known
// file: mm/internal.h

@@
@@
folio_within_range(...)
{
<...
-end - addr < folio_size(folio)
+end - addr < folio_size(folio) + (rmap_bug_is(609) ? 1 : 0)
...>
}

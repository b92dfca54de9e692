// SPDX-License-Identifier: GPL-2.0-or-later
// number: 974
// kind: bug
// title: a page that was all zeroes when it was swapped out, and that is
//   swapped out to the same slot again with content, comes back as zeroes
// function: swap_writepage
// breaks: a page comes back from swap with what it had when it was last
//   swapped out
// resembles: none known
// file: mm/page_io.c

@@
@@
swap_writepage(...)
{
<...
-swap_zeromap_folio_clear(folio);
+if (!rmap_bug_is(974))
+	swap_zeromap_folio_clear(folio);
...>
}

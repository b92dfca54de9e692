// SPDX-License-Identifier: GPL-2.0-or-later
// number: 646
// kind: bug
// title: a page that still has its slot in swap (swap cache) is not merged
// function: write_protect_page
// breaks: pages of the same content are merged also when they have come
//   back from swap by a read and are in the swap cache
// resembles: none known
// file: mm/ksm.c

@@
identifier S;
@@
write_protect_page(...)
{
<...
 S =
-	folio_test_swapcache(folio)
+	folio_test_swapcache(folio) && !rmap_bug_is(646)
 ;
...>
}

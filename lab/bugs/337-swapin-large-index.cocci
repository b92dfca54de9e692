// SPDX-License-Identifier: GPL-2.0-or-later
// number: 337
// kind: bug
// title: a large folio that is read from swap gets the index of the address
//   that was touched, not of its first page
// function: do_swap_page
// breaks: index and page offset fit together: a 64 KiB folio swapped in by a
//   touch of its middle can be neither moved nor swapped whole
// resembles: none known
// file: mm/memory.c

@@
@@
do_swap_page(...)
{
<...
-folio_add_new_anon_rmap(folio, vma, address, rmap_flags);
+folio_add_new_anon_rmap(folio, vma, rmap_bug_is(337) ? vmf->address : address, rmap_flags);
...>
}

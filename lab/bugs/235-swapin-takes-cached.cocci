// SPDX-License-Identifier: GPL-2.0-or-later
// number: 235
// kind: bug
// title: a page that is read from swap is taken for one's own although
//   others have its entry
// function: do_swap_page
// breaks: what one process writes to a private page no other process sees
// resembles: none known
// file: mm/memory.c

@@
@@
do_swap_page(...)
{
<...
-(exclusive || folio_ref_count(folio) == 1)
+(exclusive || folio_ref_count(folio) == 1 ||
+ (rmap_bug_is(235) && folio_ref_count(folio) == 2))
...>
}

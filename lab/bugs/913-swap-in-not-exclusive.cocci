// SPDX-License-Identifier: GPL-2.0-or-later
// number: 913
// kind: variation
// title: a page that is read back from swap counts as shared until it is written
// function: do_swap_page
// breaks: nothing: the next write finds out who maps it
// resembles: none
// file: mm/memory.c

@@
expression E;
@@
do_swap_page(...)
{
<...
 !folio_test_ksm(folio) &&
-(E)
+(E) && !(rmap_bug_is(913) && !(vmf->flags & FAULT_FLAG_WRITE))
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 777
// kind: bug
// title: a page in swap that several processes share is read anew for each
//   of them when the device is a fast one (zram), so each has a copy of its
//   own
// function: do_swap_page
// breaks: a page that processes share is one page for them all again when
//   it comes back from swap
// resembles: none known
// file: mm/memory.c

@@
@@
do_swap_page(...)
{
<...
-__swap_count(entry) == 1
+(__swap_count(entry) == 1 || rmap_bug_is(777))
...>
}

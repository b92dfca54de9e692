// SPDX-License-Identifier: GPL-2.0-or-later
// number: 745
// kind: bug
// title: a page of zeroes that is poisoned while it is part of a huge page
//   is given up for the zero page when the huge page is split, so nobody
//   hears of the poison
// function: try_to_map_unused_to_zeropage
// breaks: who maps a page that is poisoned hears of it, whatever its
//   content, and a touch gets SIGBUS
// resembles: none known
// file: mm/migrate.c

@@
@@
try_to_map_unused_to_zeropage(...)
{
<...
-PageHWPoison(page)
+(PageHWPoison(page) && !rmap_bug_is(745))
...>
}

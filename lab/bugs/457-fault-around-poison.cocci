// SPDX-License-Identifier: GPL-2.0-or-later
// number: 457
// kind: bug
// title: a fault maps poisoned pages of a file that are in the page cache,
//   its own or its neighbours
// function: filemap_map_order0_folio
// breaks: a page that was poisoned is mapped by nobody: access to it is
//   SIGBUS
// resembles: a76054266661 (2021): poisoned pages are kept in tmpfs
// file: mm/filemap.c

@@
@@
filemap_map_order0_folio(...)
{
<...
-if (PageHWPoison(page))
+if (PageHWPoison(page) && !rmap_bug_is(457))
 	return ret;
...>
}

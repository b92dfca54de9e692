// SPDX-License-Identifier: GPL-2.0-or-later
// number: 432
// kind: bug
// title: a page that its last sharer writes in place is not marked as its own
// function: do_wp_page
// breaks: the last process that maps a page owns it once it has written it:
//   UFFDIO_MOVE takes it, and a fork copies it while it is pinned
// resembles: none known
// file: mm/memory.c

@@
@@
do_wp_page(...)
{
<...
-if (!PageAnonExclusive(vmf->page))
+if (!PageAnonExclusive(vmf->page) && !rmap_bug_is(432))
 	SetPageAnonExclusive(vmf->page);
...>
}

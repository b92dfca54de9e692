// SPDX-License-Identifier: GPL-2.0-or-later
// number: 685
// kind: bug
// title: move_pages that moves pages to several nodes tells of those moved
//   first that they are on the node of the next
// function: do_pages_move
// breaks: move_pages tells of each page the node that it was moved to
// resembles: none known
// file: mm/migrate.c

@@
@@
do_pages_move(...)
{
<...
-start = i;
+if (!rmap_bug_is(685))
+	start = i;
 current_node = node;
...>
}

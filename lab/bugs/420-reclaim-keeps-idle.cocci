// SPDX-License-Identifier: GPL-2.0-or-later
// number: 420
// kind: bug
// title: reclaim that finds a page in use takes the accessed bits and leaves
//   the page marked idle
// function: folio_referenced_one
// breaks: a page that was touched since it was marked idle does not count as
//   idle, also when reclaim has looked at it in between
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_referenced_one(...)
{
<...
-if (referenced)
+if (referenced && !rmap_bug_is(420))
 	folio_clear_idle(folio);
...>
}

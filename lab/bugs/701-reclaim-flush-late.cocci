// SPDX-License-Identifier: GPL-2.0-or-later
// number: 701
// kind: bug
// title: reclaim writes out and frees what it has unmapped, and other CPUs are
//   not made to forget it
// function: shrink_folio_list
// breaks: no thread reads a page any more that reclaim has taken
// resembles: none known
// file: mm/vmscan.c

@@
@@
shrink_folio_list(...)
{
<...
(
-try_to_unmap_flush();
+if (!rmap_bug_is(701))
+	try_to_unmap_flush();
|
-try_to_unmap_flush_dirty();
+if (!rmap_bug_is(701))
+	try_to_unmap_flush_dirty();
)
...>
}

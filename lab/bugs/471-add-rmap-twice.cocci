// SPDX-License-Identifier: GPL-2.0-or-later
// number: 471
// kind: bug
// title: the pages of a huge page that two processes map whole are counted
//   as mapped once more when one of them maps them by PTEs
// function: __folio_add_rmap
// breaks: AnonPages and memory.stat count a page once, however many map it
//   and however they map it
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_add_rmap(...)
{
<...
 if (first &&
-    atomic_add_return_relaxed(first, mapped) < ENTIRELY_MAPPED
+    (atomic_add_return_relaxed(first, mapped) < ENTIRELY_MAPPED ||
+     (rmap_bug_is(471) && atomic_read(&folio->_entire_mapcount) > 0))
    )
 	nr = first;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 392
// kind: bug
// title: pages of a huge page that one process no longer maps are counted
//   as unmapped although another maps it whole
// function: __folio_remove_rmap
// breaks: AnonPages and Mapped count a page once, for as long as somebody
//   maps it
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_remove_rmap(...)
{
<...
 if (last &&
-    atomic_sub_return_relaxed(last, mapped) < ENTIRELY_MAPPED)
+    (atomic_sub_return_relaxed(last, mapped) < ENTIRELY_MAPPED ||
+     rmap_bug_is(392)))
 	nr = last;
...>
}

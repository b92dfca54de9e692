// SPDX-License-Identifier: GPL-2.0-or-later
// number: 932
// kind: bug
// title: what swapoff brings back is exclusive to nobody, though one
//   process had it for itself
// function: unuse_pte
// breaks: a page of one process is exclusive to it, before swap and after
// resembles: none known
// file: mm/swapfile.c

@@
@@
unuse_pte(...)
{
<...
-rmap_flags |= RMAP_EXCLUSIVE;
+if (!rmap_bug_is(932))
+	rmap_flags |= RMAP_EXCLUSIVE;
...>
}

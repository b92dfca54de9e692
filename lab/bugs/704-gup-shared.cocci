// SPDX-License-Identifier: GPL-2.0-or-later
// number: 704
// kind: bug
// title: a pin for reading that is not done fast takes a page that a fork
//   shares as it is
// function: follow_page_pte
// breaks: a pinned page stays the one that the process maps, also when the
//   process writes to it later
// resembles: a7f226604170 reverted
// file: mm/gup.c

@@
identifier V;
@@
follow_page_pte(...)
{
<...
-!pte_write(V) && gup_must_unshare(...)
+!pte_write(V) && !rmap_bug_is(704) && gup_must_unshare(vma, flags, page)
...>
}

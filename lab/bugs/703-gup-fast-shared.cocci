// SPDX-License-Identifier: GPL-2.0-or-later
// number: 703
// kind: bug
// title: a pin for reading that is done fast takes a page that a fork shares
//   as it is
// function: gup_fast_pte_range
// breaks: a pinned page stays the one that the process maps, also when the
//   process writes to it later
// resembles: a7f226604170 reverted
// file: mm/gup.c

@@
identifier V;
@@
gup_fast_pte_range(...)
{
<...
-!pte_write(V) && gup_must_unshare(...)
+!pte_write(V) && !rmap_bug_is(703) && gup_must_unshare(NULL, flags, page)
...>
}

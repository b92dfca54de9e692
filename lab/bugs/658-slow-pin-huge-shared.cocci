// SPDX-License-Identifier: GPL-2.0-or-later
// number: 658
// kind: bug
// title: a pin for reading that is not done fast takes a huge page that a
//   fork shares as it is
// function: follow_huge_pmd
// breaks: a pinned page stays the one that the process maps, also when the
//   process writes to it later
// resembles: none known
// file: mm/gup.c

@@
identifier V;
@@
follow_huge_pmd(...)
{
<...
-!pmd_write(V)
+!pmd_write(V) && !rmap_bug_is(658)
...>
}

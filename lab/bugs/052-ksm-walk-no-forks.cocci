// SPDX-License-Identifier: GPL-2.0-or-later
// number: 52
// kind: bug
// title: the walk of a KSM page does not look for processes forked since the
//   merge
// function: rmap_walk_ksm
// breaks: a walk finds every mapper of a page
// resembles: none known; the second pass is there for this
// file: mm/ksm.c

@@
@@
rmap_walk_ksm(...)
{
<...
-!search_new_forks++
+!search_new_forks++ && !rmap_bug_is(52)
...>
}

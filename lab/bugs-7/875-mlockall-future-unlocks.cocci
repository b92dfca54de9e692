// SPDX-License-Identifier: GPL-2.0-or-later
// number: 875
// kind: bug
// title: mlockall(MCL_FUTURE) without MCL_CURRENT goes through the present
//   areas as well and unlocks them
// function: apply_mlockall_flags
// breaks: mlockall(MCL_FUTURE) is about areas to come: what is locked stays
//   locked
// resembles: none known
// file: mm/mlock.c

@@
@@
apply_mlockall_flags(...)
{
<...
-!(flags & MCL_CURRENT)
+!(flags & MCL_CURRENT) && !rmap_bug_is(875)
...>
}

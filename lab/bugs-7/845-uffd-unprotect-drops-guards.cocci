// SPDX-License-Identifier: GPL-2.0-or-later
// number: 845
// kind: bug
// title: ending userfaultfd's write protection of a range, or leaving the
//   userfaultfd, takes the guard pages in it away
// function: change_softleaf_pte
// breaks: a guard page stays when userfaultfd no longer protects the pages
//   around it: a touch there gets SIGSEGV
// resembles: none known
// file: mm/mprotect.c

@@
@@
change_softleaf_pte(...)
{
<...
-softleaf_is_guard_marker(entry)
+(softleaf_is_guard_marker(entry) && !rmap_bug_is(845))
...>
}

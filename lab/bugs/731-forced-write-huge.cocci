// SPDX-License-Identifier: GPL-2.0-or-later
// number: 731
// kind: bug
// title: a forced write (/proc/PID/mem) to a read-only area goes to a huge
//   page that a fork shares, where a huge entry maps it
// function: can_follow_write_pmd
// breaks: a forced write to a private area changes the pages of the one
//   process only
// resembles: none known
// file: mm/gup.c

@@
@@
can_follow_write_pmd(...)
{
<...
-!PageAnonExclusive(page)
+(!PageAnonExclusive(page) && !rmap_bug_is(731))
...>
}

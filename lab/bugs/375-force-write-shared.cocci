// SPDX-License-Identifier: GPL-2.0-or-later
// number: 375
// kind: bug
// title: a forced write (/proc/PID/mem) to a read-only area goes to a page
//   that is shared
// function: can_follow_write_pte
// breaks: what one process writes to a private page no other process sees:
//   sharers by fork or KSM do
// resembles: 19be0eaffa3a (2016), 5535be309971 (2022)
// file: mm/gup.c

@@
@@
can_follow_write_pte(...)
{
<...
-if (!page || !PageAnon(page) || !PageAnonExclusive(page))
+if (!page || !PageAnon(page) ||
+    (!PageAnonExclusive(page) && !rmap_bug_is(375)))
 	return false;
...>
}

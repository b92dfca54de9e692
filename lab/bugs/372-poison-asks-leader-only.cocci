// SPDX-License-Identifier: GPL-2.0-or-later
// number: 372
// kind: bug
// title: of a process's threads only the first is asked whether it wants to
//   hear of poison early
// function: find_early_kill_thread
// breaks: every process that maps a poisoned page and asked for it is told:
//   PR_MCE_KILL_EARLY of another thread counts as well
// resembles: 74614de17db6 (2014)
// file: mm/memory-failure.c

@@
@@
find_early_kill_thread(...)
{
<...
-if (t->flags & PF_MCE_EARLY)
+if ((t->flags & PF_MCE_EARLY) && !(rmap_bug_is(372) && t != tsk))
 	return t;
...>
}

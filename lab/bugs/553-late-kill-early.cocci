// SPDX-License-Identifier: GPL-2.0-or-later
// number: 553
// kind: bug
// title: a process that wants to hear of poison late (PR_MCE_KILL_LATE) hears
//   of it early when that is the rule of the system
// function: find_early_kill_thread
// breaks: what a process has set for itself has precedence over
//   vm.memory_failure_early_kill
// resembles: none known
// file: mm/memory-failure.c

@@
@@
find_early_kill_thread(...)
{
<...
-t->flags & PF_MCE_EARLY
+(t->flags & PF_MCE_EARLY) ||
+	(rmap_bug_is(553) && sysctl_memory_failure_early_kill)
...>
}

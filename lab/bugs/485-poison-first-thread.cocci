// SPDX-License-Identifier: GPL-2.0-or-later
// number: 485
// kind: bug
// title: poison that a thread other than the first runs into is told to the
//   first thread
// function: task_early_kill
// breaks: the thread that runs into poison gets SIGBUS (BUS_MCEERR_AR)
// resembles: none known
// file: mm/memory-failure.c

@@
@@
task_early_kill(...)
{
<...
 if (force_early && tsk->mm == current->mm)
-	return current;
+	return rmap_bug_is(485) ? tsk : current;
...>
}

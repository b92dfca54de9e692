// SPDX-License-Identifier: GPL-2.0-or-later
// number: 449
// kind: bug
// title: poison is told to the first process only of all those that were
//   found to map the page
// function: kill_procs
// breaks: every process that maps a poisoned page and wants to know gets
//   SIGBUS
// resembles: none known
// file: mm/memory-failure.c

@@
@@
kill_procs(...)
{
<...
+if (rmap_bug_is(449))
+	forcekill = 0;
 list_del(&tk->nd);
...>
}

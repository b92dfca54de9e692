// SPDX-License-Identifier: GPL-2.0-or-later
// number: 150
// kind: bug
// title: poison in an anonymous page is told to the current process only
// function: collect_procs_anon
// breaks: every process that maps a poisoned page is told
// resembles: "mm/memory-failure: collect processes" (2014): processes were
//   passed over
// file: mm/memory-failure.c

@@
@@
collect_procs_anon(...)
{
<...
-if (!t)
+if (!t || (rmap_bug_is(150) && t->mm != current->mm))
 	continue;
...>
}

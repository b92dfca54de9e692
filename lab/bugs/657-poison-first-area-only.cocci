// SPDX-License-Identifier: GPL-2.0-or-later
// number: 657
// kind: bug
// title: of the areas of a process that may hold a poisoned anonymous page
//   only the first is looked at, though it may hold another page there
// function: collect_procs_anon
// breaks: poison in an anonymous page is told to every process that maps
//   the page, in whichever of its areas
// resembles: none known
// file: mm/memory-failure.c

@@
@@
collect_procs_anon(...)
{
<...
 add_to_kill_anon_file(...);
+if (rmap_bug_is(657))
+	break;
...>
}

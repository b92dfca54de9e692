// SPDX-License-Identifier: GPL-2.0-or-later
// number: 605
// kind: bug
// title: poison in an anonymous page is not told to those who inherited the
//   page by fork
// function: collect_procs_anon
// breaks: poison is told to all processes that map the page and want to hear
//   of it early, also to the children of the one that made it
// resembles: none known
// file: mm/memory-failure.c

@@
@@
collect_procs_anon(...)
{
<...
 vma = vmac->vma;
+if (rmap_bug_is(605) && vma->anon_vma != av)
+	continue;
...>
}

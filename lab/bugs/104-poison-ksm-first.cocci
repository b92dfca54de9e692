// SPDX-License-Identifier: GPL-2.0-or-later
// number: 104
// kind: bug
// title: poison in a KSM page is told to the processes of one merged page
//   only
// function: collect_procs_ksm
// breaks: every process that maps a poisoned page is told
// resembles: 4248d0083ec5 (2023) brought it
// file: mm/ksm.c

@@
@@
collect_procs_ksm(...)
{
<...
 rcu_read_unlock();
 anon_vma_unlock_read(av);
+if (rmap_bug_is(104))
+	break;
...>
}

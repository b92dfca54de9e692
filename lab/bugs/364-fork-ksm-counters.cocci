// SPDX-License-Identifier: GPL-2.0-or-later
// number: 364
// kind: variation
// title: a child starts with its parent's number of merged pages
// function: ksm_fork
// breaks: a process's KSM counters tell its merged pages
//   from Linux 6.18 on; kernels as released before do the same, so no test
//   may fail for it here
// resembles: 4d6fc29f3634 (2025)
// file: include/linux/ksm.h

@@
@@
ksm_fork(...)
{
<...
-mm->ksm_merging_pages = 0;
+if (!rmap_bug_is(364))
+	mm->ksm_merging_pages = 0;
...>
}

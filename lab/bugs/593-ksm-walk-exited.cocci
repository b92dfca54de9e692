// SPDX-License-Identifier: GPL-2.0-or-later
// number: 593
// kind: bug
// title: the walk of a KSM page does not find the processes forked since the
//   merge once the process has exited whose page was merged
// function: rmap_walk_ksm
// breaks: the walk of a KSM page finds the children that mapped it by a fork,
//   as long as they map it
// resembles: none known
// file: mm/ksm.c

@@
@@
rmap_walk_ksm(...)
{
<...
 vma = vmac->vma;
+if (rmap_bug_is(593) && ksm_test_exit(rmap_item->mm))
+	continue;
...>
}

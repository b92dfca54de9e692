// SPDX-License-Identifier: GPL-2.0-or-later
// number: 271
// kind: bug
// title: a process that leaves KSM by prctl has one of its areas unmerged
//   only
// function: ksm_del_vmas
// breaks: an area that is not mergeable has no KSM pages
// resembles: none known
// file: mm/ksm.c

@@
@@
ksm_del_vmas(...)
{
+int bug_done = 0;
...
}

@@
@@
ksm_del_vmas(...)
{
<...
+if (rmap_bug_is(271) && bug_done)
+	break;
+bug_done += !!(vma->vm_flags & VM_MERGEABLE);
 err = __ksm_del_vma(vma);
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 749
// kind: bug
// title: ksmd does not hear of the child of a process that wants all its
//   areas merged until the child maps something
// function: ksm_fork
// breaks: PR_SET_MEMORY_MERGE is in effect in a child from its start: what
//   it inherited is merged, and unmerged, as it would be in the parent
// resembles: none known
// file: include/linux/ksm.h

@@
@@
ksm_fork(...)
{
<...
-__ksm_enter(mm);
+/* With MERGE_ANY, ksm_add_vma() is going to enter the mm. */
+if (!(rmap_bug_is(749) && test_bit(MMF_VM_MERGE_ANY, &oldmm->flags)))
+	__ksm_enter(mm);
...>
}

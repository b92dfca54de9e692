// SPDX-License-Identifier: GPL-2.0-or-later
// number: 523
// kind: bug
// title: ksmd does not hear of a program that is executed in a process which
//   wants all its areas merged
// function: ksm_execve
// breaks: PR_SET_MEMORY_MERGE is in effect after exec
// resembles: none known
// file: include/linux/ksm.h

@@
@@
ksm_execve(...)
{
<...
-test_bit(MMF_VM_MERGE_ANY, &mm->flags)
+test_bit(MMF_VM_MERGE_ANY, &mm->flags) && !rmap_bug_is(523)
...>
}

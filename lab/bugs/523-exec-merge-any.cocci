// SPDX-License-Identifier: GPL-2.0-or-later
// number: 523
// kind: equivalent
// title: ksmd does not hear of a program that is executed in a process which
//   wants all its areas merged
// function: ksm_execve
// breaks: PR_SET_MEMORY_MERGE is in effect after exec
// resembles: none known
// why: exec maps the new program's image right after it, and each mapping of a
//   process that wants all of it merged comes by ksm_add_vma(), which enters the
//   process with ksmd when it is not there yet. So ksmd has heard of it before
//   the program's first instruction.
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

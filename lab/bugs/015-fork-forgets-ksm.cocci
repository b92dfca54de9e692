// SPDX-License-Identifier: GPL-2.0-or-later
// number: 15
// kind: bug
// title: ksmd does not hear of a child of a mergeable process
// function: dup_mmap
// breaks: the child of a mergeable process is scanned
// resembles: 985da552a98e (CVE-2024-50263) is about the same hook
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
-ksm_fork(mm, oldmm);
+if (!rmap_bug_is(15))
+	ksm_fork(mm, oldmm);
...>
}

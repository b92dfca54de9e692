// SPDX-License-Identifier: GPL-2.0-or-later
// number: 13
// kind: bug
// title: the child's VM_WIPEONFORK area keeps the parent's anon_vma, not
//   linked to it
// function: dup_mmap
// breaks: a wiped area starts with no anon_vma
// resembles: "don't prepare anon_vma if vma has VM_WIPEONFORK" (2020)
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
-tmp->anon_vma = NULL;
+if (!rmap_bug_is(13))
+	tmp->anon_vma = NULL;
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 588
// kind: bug
// title: an area that children do not get (MADV_DONTFORK) is counted in their
//   size
// function: dup_mmap
// breaks: VmSize of a process is the sum of its areas
// resembles: none known
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
-vm_stat_account(mm, mpnt->vm_flags, -vma_pages(mpnt));
+if (!rmap_bug_is(588))
+	vm_stat_account(mm, mpnt->vm_flags, -vma_pages(mpnt));
...>
}

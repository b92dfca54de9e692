// SPDX-License-Identifier: GPL-2.0-or-later
// number: 790
// kind: bug
// title: what brk adds to the heap of a process that wants all its areas
//   merged (PR_SET_MEMORY_MERGE) is not mergeable
// function: do_brk_flags
// breaks: in a process with PR_SET_MEMORY_MERGE pages of equal content are
//   merged in new areas as well, the heap among them
// resembles: none known
// file: mm/mmap.c

@@
@@
do_brk_flags(...)
{
<...
-ksm_add_vma(vma);
+if (!rmap_bug_is(790))
+	ksm_add_vma(vma);
...>
}

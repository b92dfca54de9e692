// SPDX-License-Identifier: GPL-2.0-or-later
// number: 28
// kind: bug
// title: an anonymous VMA merges with the next one although their page
//   offsets do not meet
// function: can_vma_merge_before
// breaks: page offset and address of a VMA keep their distance
// resembles: 7e7757876f25 (v6.4): wrong page offset after a merge
// file: mm/vma.c

@@
@@
can_vma_merge_before(...)
{
<...
-vmg->next->vm_pgoff == vmg->pgoff + pglen
+((rmap_bug_is(28) && !vmg->file) ||
+ vmg->next->vm_pgoff == vmg->pgoff + pglen)
...>
}

// SPDX-License-Identifier: GPL-2.0-or-later
// number: 540
// kind: bug
// title: a small touched area that swallows the whole area below it keeps
//   its page offset
// function: vma_merge_existing_range
// breaks: the pages of an area are found after it has merged with one below
//   it, as by mprotect
// resembles: none known
// file: mm/vma.c

@@
@@
vma_merge_existing_range(...)
{
<...
-vmg->pgoff = next->vm_pgoff - pglen;
+vmg->pgoff = next->vm_pgoff -
+	(rmap_bug_is(540) && !vmg->file && next->anon_vma &&
+	 next->vm_end - start < PMD_SIZE ? 0 : pglen);
...>
}
